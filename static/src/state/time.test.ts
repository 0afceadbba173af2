// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { ago, duration, elapsed, exact, moment, timer } from "./time";

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

test.each([[0.9, "0:00"], [6, "0:06"], [72.9, "1:12"], [3_725, "1:02:05"]])("a clock of %d s shows %s", (seconds, text) => {
  expect(timer(seconds)).toBe(text);
});
