// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { JobPage, JobRow, Rate } from "../client/jobStats";
import { loadJobs, openOf, rateAbout, trendOf } from "./job-list";

const ends = (SUCCESS: number, FAILURE: number) => ({
  counts: { SUCCESS, FAILURE, REVOKED: 0 },
  failure_rate: SUCCESS + FAILURE ? FAILURE / (SUCCESS + FAILURE) : null,
});
const rate = (now: [number, number], before: [number, number]): Rate => ({ ...ends(...now), before: ends(...before) });

test.each<[Rate, string]>([
  [rate([15, 2], [31, 1]), "2 of 17, day before 3.1 %"],
  [rate([15, 2], [31, 0]), "2 of 17, day before none"],
  [rate([1_500, 0], [0, 0]), "0 of 1,500, no run the day before"],
  [rate([0, 0], [3, 1]), "no run ended, day before 25 %"],
  [rate([0, 0], [0, 0]), ""],
])("a rate stands beside that of the time before", (given, text) => expect(rateAbout(given, "day")).toBe(text));

test.each<[Rate, ReturnType<typeof trendOf>]>([
  [rate([88, 12], [97, 3]), "worse"],
  [rate([97, 3], [88, 12]), "better"],
  [rate([1_000, 5], [1_000, 0]), null],
  [rate([1, 1], [0, 0]), null],
])("what a glance tells apart is worse or better", (given, trend) => expect(trendOf(given)).toBe(trend));

test("what is open leads to the list of it, what needs somebody first", () => {
  const found = openOf("shop/mail", { PENDING: 302, STARTED: 2, WAITING: 1 }, true, "tenant");

  expect(found.map(({ text }) => text)).toEqual(["1 needs approval", "2 running", "302 queued"]);
  expect(found[2]?.to).toBe("/?scope=tenant&status=PENDING&job_type=shop%2Fmail&steps=true");
  expect(openOf("a", { PENDING: 5_001 }, false, "mine").map(({ text }) => text)).toEqual(["5,001+ queued"]);
  expect(openOf("a", {}, true, "mine")).toEqual([]);
});

test("so many pages are loaded as were asked for, and no more than there are", async () => {
  const pages: JobPage[] = [
    { jobs: [{ job_type: "a" } as JobRow], next: "2", complete: true },
    { jobs: [{ job_type: "b" } as JobRow], next: null, complete: false },
  ];
  const asked: unknown[][] = [];
  const jobs = (...args: unknown[]): Promise<JobPage> => {
    asked.push(args);
    return Promise.resolve(pages[asked.length - 1]!);
  };

  const first = await loadJobs({ jobs }, "mine", "q", 1);
  expect([first.rows.map(({ job_type }) => job_type), first.more]).toEqual([["a"], true]);
  asked.length = 0;
  const both = await loadJobs({ jobs }, "all", "q", 9);

  expect([both.rows.map(({ job_type }) => job_type), both.more, both.complete]).toEqual([["a", "b"], false, false]);
  expect(asked).toEqual([
    ["all", "q", 100, undefined],
    ["all", "q", 100, "2"],
  ]);
});
