import { expect, test } from "vitest";
import { boundsOf, isTime, shownOf } from "./list-times";

const now = Date.parse("2026-03-05T10:20:00Z");
const hour = 3_600_000;
const none = { time: "", from: "", to: "" } as const;
const of = (at: number): string => new Date(at).toISOString();

test("a time before now begins at a whole hour, today at midnight here", () => {
  expect(boundsOf(none, now)).toEqual({});
  expect(boundsOf({ ...none, time: "7d" }, now)).toEqual({ from: "2026-02-26T10:00:00Z" });
  const { from } = boundsOf({ ...none, time: "today" }, now);
  expect(Date.parse(from ?? "")).toBe(new Date(now).setHours(0, 0, 0, 0));
});

test("a chosen time counts, whatever was looked back at", () => {
  expect(boundsOf({ time: "24h", from: "2026-03-01T00:00:00Z", to: "" }, now)).toEqual({ from: "2026-03-01T00:00:00Z", to: undefined });
});

test("the histogram shows what is looked back at, and what is around a choice that is older", () => {
  const week = { from: Date.parse("2026-02-26T10:00:00Z"), to: Date.parse("2026-03-05T11:00:00Z") };
  expect(shownOf(none, now)).toEqual(week);
  expect(shownOf({ time: "7d", from: of(now - 5 * hour), to: of(now - 3 * hour) }, now)).toEqual(week);
  const old = { time: "7d", from: "2026-01-01T04:00:00Z", to: "2026-01-01T06:00:00Z" } as const;
  expect(shownOf(old, now)).toEqual({ from: Date.parse("2026-01-01T02:00:00Z"), to: Date.parse("2026-01-01T08:00:00Z") });
});

test.each([
  ["2026-03-05T10:00:00Z", true],
  ["2026-03-05T10:00:00.5+01:00", true],
  ["2026-03-05", false],
  ["2026-13-05T10:00:00Z", false],
  [null, false],
])("%s is a time: %s", (text, is) => {
  expect(isTime(text)).toBe(is);
});
