import type { Api } from "../client/api";
import type { JobPage, JobRow, OpenCounts, Rate } from "../client/jobStats";
import type { Status } from "../client/types";
import { listAddress, type Scope } from "./filter";
import { count } from "./format";
import { rateText } from "./job-stats";
import { serverScope } from "./job-scope";

const PAGE = 100;

/** The jobs that are loaded, what needs a look first. */
export interface Jobs {
  rows: readonly JobRow[];
  /** Whether there are more. */
  more: boolean;
  /** Whether all open runs were counted. */
  complete: boolean;
}

/** Loads so many pages of the list. */
export async function loadJobs(api: Pick<Api, "jobs">, scope: Scope, q: string, pages: number): Promise<Jobs> {
  const rows: JobRow[] = [];
  let page: JobPage | undefined;
  for (let number = 0; number < pages && page?.next !== null; number++) {
    page = await api.jobs(serverScope(scope), q, PAGE, page?.next);
    rows.push(...page.jobs);
  }
  return { rows, more: Boolean(page?.next), complete: page?.complete ?? true };
}

/** Runs that have not ended, as a part of a list. */
interface Open {
  status: Status;
  text: string;
  to: string;
}

const WORDS: readonly [Status, string][] = [
  ["WAITING", "need approval"],
  ["STARTED", "running"],
  ["RETRY", "retrying"],
  ["PENDING", "queued"],
];

/** What a job does now, each with the list of these runs: "2 running", "302 queued". Steps are listed too, as they are counted. */
export const openOf = (job_type: string, open: OpenCounts, complete: boolean, scope: Scope): Open[] =>
  WORDS.filter(([status]) => open[status]).map(([status, word]) => ({
    status,
    text: `${count(open[status] ?? 0)}${complete ? "" : "+"} ${open[status] === 1 && status === "WAITING" ? "needs approval" : word}`,
    to: listAddress({ job_type, scope, status, steps: true }),
  }));

/** "2 of 17, day before 3.1 %"; empty where nothing ended in both times. */
export function rateAbout({ counts, before }: Rate, time: "day" | "week"): string {
  const { SUCCESS = 0, FAILURE = 0 } = counts;
  const decided = SUCCESS + FAILURE;
  const then = rateText(before.failure_rate);
  if (!decided && !then) return "";
  const now = decided ? `${count(FAILURE)} of ${count(decided)}` : "no run ended";
  return `${now}, ${then ? `${time} before ${then}` : `no run the ${time} before`}`;
}

/** How a rate stands to that of the time before: the difference is in percentage points, and as many as a glance tells apart. */
export function trendOf({ failure_rate: now, before: { failure_rate: then } }: Rate): "worse" | "better" | null {
  if (now === null || then === null || Math.abs(now - then) < 0.01) return null;
  return now > then ? "worse" : "better";
}
