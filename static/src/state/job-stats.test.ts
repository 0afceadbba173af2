import { expect, test } from "vitest";
import { columnsOf, endsText, linesOf, namesOf, rateText, windowOf, type Column } from "./job-stats";

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

test.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [7, [0, 5, 10]],
  [30, [0, 10, 20, 30]],
  [4_321, [0, 2_000, 4_000, 6_000]],
])("a column of %d runs stands before lines at %j", (highest, lines) => expect(linesOf(highest)).toEqual(lines));

test("of a day each sixth hour has a name, of a week each day, of a month some days", () => {
  const hours = (count: number): Column[] =>
    Array.from({ length: count }, (_, n) => ({ at: new Date(2026, 0, 1, n).getTime(), ok: 0, fail: 0, off: 0, text: "" }));
  expect(namesOf(hours(24), "hour")).toEqual([
    { at: 0, name: "00:00" },
    { at: 0.25, name: "06:00" },
    { at: 0.5, name: "12:00" },
    { at: 0.75, name: "18:00" },
  ]);
  expect(namesOf(hours(7 * 24), "hour").map(({ name }) => name)).toEqual(["1 Thu", "2 Fri", "3 Sat", "4 Sun", "5 Mon", "6 Tue", "7 Wed"]);
  const days = Array.from({ length: 30 }, (_, n) => ({ at: Date.UTC(2026, 0, 1 + n), ok: 0, fail: 0, off: 0, text: "" }));
  expect(namesOf(days, "day").map(({ name }) => name)).toEqual(["Jan 1", "Jan 5", "Jan 9", "Jan 13", "Jan 17", "Jan 21", "Jan 25", "Jan 29"]);
});
