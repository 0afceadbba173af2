import { expect, test } from "vitest";
import { columnsOf, endsText, rateText, windowOf } from "./job-stats";

test("each hour has a column, also those without a run", () => {
  const columns = columnsOf({
    since: "2026-01-01T10:00:00.000000Z",
    until: "2026-01-01T13:20:00.000000Z",
    unit: "hour",
    times: [{ at: "2026-01-01T11:00:00.000000Z", counts: { SUCCESS: 3, FAILURE: 1 } }],
  });

  expect(columns.map(({ ok, fail, off }) => [ok, fail, off])).toEqual([
    [0, 0, 0],
    [3, 1, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
  expect(columns[1]?.text).toMatch(/11:00|:00: 4 runs, 1 failed$/);
});

test("days are those of the server", () => {
  const columns = columnsOf({
    since: "2026-01-01T10:00:00.000000Z",
    until: "2026-01-03T01:00:00.000000Z",
    unit: "day",
    times: [{ at: "2026-01-03T00:00:00.000000Z", counts: { REVOKED: 2 } }],
  });

  expect(columns.map(({ text }) => text)).toEqual(["Jan 1: no run", "Jan 2: no run", "Jan 3: 2 runs, 2 cancelled"]);
});

test.each([
  [{}, "no run"],
  [{ SUCCESS: 1 }, "1 run"],
  [{ SUCCESS: 1_200, FAILURE: 34, REVOKED: 1 }, "1,235 runs, 34 failed, 1 cancelled"],
])("%j is %j", (counts, text) => expect(endsText(counts)).toBe(text));

test.each([
  [null, ""],
  [0, "none"],
  [0.0002, "0.1 %"],
  [0.031, "3.1 %"],
  [0.5, "50 %"],
  [1, "100 %"],
])("a rate of %j is %j", (rate, text) => expect(rateText(rate)).toBe(text));

test("an address may ask for a time that there is not", () => {
  expect([windowOf("24h"), windowOf("1y"), windowOf(null)]).toEqual(["24h", "7d", "7d"]);
});
