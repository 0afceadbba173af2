import { expect, test } from "vitest";
import { NO_FILTER } from "./filter";
import { choiceOf, columnsOf, keyMeaning, leftOutText, rangeText } from "./histogram";

// In the time zone of the reader, whichever that is where the tests run.
const here = (text: string): number => new Date(text).getTime();
const iso = (text: string): string => new Date(text).toISOString();
const day = { from: here("2026-03-05T00:00"), to: here("2026-03-06T00:00") };
const times = [
  { at: iso("2026-03-05T09:00"), counts: { SUCCESS: 3, FAILURE: 1 } },
  { at: iso("2026-03-05T10:00"), counts: { SUCCESS: 1, STARTED: 2, REVOKED: 1 } },
  { at: iso("2026-03-07T10:00"), counts: { SUCCESS: 9 } },
];

test("a column has as many hours as are needed for so many columns, and no run is left out", () => {
  const hours = columnsOf(times, day, 24, null);
  expect(hours).toHaveLength(24);
  expect(hours[9]).toMatchObject({ total: 4, tones: { ok: 3, fail: 1 }, name: "Thu 5 Mar, 09:00–10:00", text: "4 runs, 1 failed", parts: "1 failed, 3 succeeded" });
  expect(hours[11]).toMatchObject({ total: 0, text: "no run" });
  expect(hours[23]?.name).toBe("Thu 5 Mar, 23:00–24:00");

  const few = columnsOf(times, day, 10, null);
  expect(few.map(({ total }) => total)).toEqual([0, 0, 0, 8, 0, 0, 0, 0]);
  expect(few[3]).toMatchObject({ name: "Thu 5 Mar, 09:00–12:00", text: "8 runs, 2 running, 1 failed, 1 cancelled", parts: "2 running, 1 failed, 1 cancelled, 4 succeeded" });
});

test("of one status only", () => {
  expect(columnsOf(times, day, 24, "FAILURE").map(({ total }) => total).filter(Boolean)).toEqual([1]);
});

test("columns begin at days of the reader, also where one has 23 hours", () => {
  const month = { from: here("2026-03-01T05:00"), to: here("2026-04-02T00:00") };
  const columns = columnsOf(times, month, 40, null);
  expect(columns).toHaveLength(32);
  expect(columns.every(({ at }) => new Date(at).getHours() === 0)).toBe(true);
  expect(columns[4]).toMatchObject({ name: "Thu 5 Mar", total: 8 });
});

test("a choice goes from the first to the last column, in whatever order they were pointed at", () => {
  const columns = columnsOf(times, day, 24, null);
  expect(choiceOf(columns, 10, 9)).toEqual({ from: iso("2026-03-05T09:00").replace(".000", ""), to: iso("2026-03-05T11:00").replace(".000", "") });
  expect(choiceOf([], 0, 0)).toEqual({ from: "", to: "" });
});

test("the keys move, extend, choose and clear", () => {
  expect(keyMeaning("ArrowLeft", false, 0, 9)).toEqual({ at: 0, grows: false });
  expect(keyMeaning("ArrowRight", true, 3, 9)).toEqual({ at: 4, grows: true });
  expect(keyMeaning("End", false, 3, 9)).toEqual({ at: 9, grows: false });
  expect(keyMeaning("PageDown", false, 3, 9)).toEqual({ at: 9, grows: false });
  expect(["Enter", " ", "Escape", "j"].map((key) => keyMeaning(key, false, 3, 9))).toEqual(["choose", "choose", "clear", null]);
});

test.each([
  ["2026-03-05T00:00", "2026-03-06T00:00", "Thu 5 Mar"],
  ["2026-03-05T00:00", "2026-03-08T00:00", "Thu 5 Mar – Sat 7 Mar"],
  ["2026-03-05T22:00", "2026-03-06T01:00", "Thu 5 Mar, 22:00 – Fri 6 Mar, 01:00"],
])("from %s to %s is said as %s", (from, to, text) => {
  expect(rangeText(here(from), here(to))).toBe(text);
});

test("filters of the list that the histogram does not have are named", () => {
  expect(leftOutText({ ...NO_FILTER, status: "FAILURE", job_type: "nightly", who: "x", time: "7d" })).toBe("");
  expect(leftOutText({ ...NO_FILTER, errors: true })).toBe("All runs, without the filter errors");
  expect(leftOutText({ ...NO_FILTER, q: "a", errors: true, max_seconds: "9" })).toBe("All runs, without the filters text, errors, duration");
});
