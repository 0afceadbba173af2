// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { ago, duration, elapsed, exact, moment, timer, zoneOf } from "./time";

test.each([
  [0, "0.0 s"],
  [0.0079, "8 ms"],
  [4.14, "4.1 s"],
  [9.96, "10 s"],
  [72, "1 m 12 s"],
  [3_599.7, "1 h 00 m"],
  [-3, "0.0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("a running time is never negative", () => {
  expect(elapsed("2025-01-01T00:00:10Z", null, Date.parse("2025-01-01T00:00:00Z"))).toBe(0);
  expect(elapsed(null, null, 0)).toBeNull();
});

const now = Date.parse("2026-03-10T12:00:00Z");

test.each([
  ["2026-03-10T12:00:05Z", "just now"],
  ["2026-03-10T11:59:00.5Z", "just now"],
  ["2026-03-10T11:56:59Z", "3 min ago"],
  ["2026-03-10T07:00:00Z", "5 h ago"],
  ["2026-03-04T12:00:00Z", "6 d ago"],
])("%s is %s", (timestamp, words) => expect(ago(timestamp, now)).toBe(words));

test("what is older than a week has its date", () => {
  const timestamp = "2026-03-03T12:00:00Z";
  expect(ago(timestamp, now)).toBe(moment(timestamp));
});

test("the exact time has the zone, and the server's own words", () => {
  const timestamp = "2026-03-10T11:59:00.123456Z";
  expect(exact(timestamp)).toMatch(/59:00.123.*(GMT|UTC|[A-Z]{3,4}).*\n2026-03-10T11:59:00\.123456Z$/);
});

test.each([[0.4, "0:00"], [6, "0:06"], [72.9, "1:13"], [59.5, "1:00"], [3_725, "1:02:05"]])("a clock of %d s shows %s", (seconds, text) => {
  expect(timer(seconds)).toBe(text);
});

test.each([10, 12.5, 59.7, 72.6, 3_599.7, 7_260.4])("a clock and a duration of %d s are the same time", (seconds) => {
  const clock = timer(seconds).split(":").map(Number);
  const words = duration(seconds).match(/\d+/g)?.map(Number);
  // Of hours a duration has no seconds, and of seconds alone no minutes.
  expect(clock.length === 3 ? clock.slice(0, 2) : clock.filter((part, n) => part || n)).toEqual(words);
});

test("a zone has its name and what it is ahead of UTC at that time", () => {
  expect(zoneOf(new Date("2026-07-01T12:00:00Z"))).toMatch(/^[\w/]+(, UTC[+-]\d+(:\d+)?)?$/);
  expect(zoneOf(new Date("nothing"))).toBe(zoneOf(new Date()));
});
