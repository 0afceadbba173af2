import { expect, test } from "vitest";
import { Backoff } from "./backoff";

const delays = (backoff: Backoff, count: number): number[] => Array.from({ length: count }, () => backoff.next());

test("doubles from one second to thirty", () => {
  expect(delays(new Backoff(() => 0), 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("jitter only shortens, and never to nothing", () => {
  expect(delays(new Backoff(() => 0.999_999), 6).map(Math.round)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000]);
});

test("begins anew after a reset", () => {
  const backoff = new Backoff(() => 0);
  delays(backoff, 5);
  backoff.reset();
  expect(backoff.next()).toBe(1_000);
});
