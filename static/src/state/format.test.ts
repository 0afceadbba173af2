import { expect, test } from "vitest";
import { duration, elapsed, percent } from "./format";

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

test("100 % is said only when it is", () => {
  expect([99.99, 100, 130, null, -1].map(percent)).toEqual([99, 100, 100, 0, 0]);
});

test("a running time is never negative", () => {
  expect(elapsed("2025-01-01T00:00:10Z", null, Date.parse("2025-01-01T00:00:00Z"))).toBe(0);
  expect(elapsed(null, null, 0)).toBeNull();
});
