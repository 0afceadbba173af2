import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Api } from "../client/api";
import { areaOf, rates, sequenceAt, Throughput, type Point } from "./throughput";

const AT = Date.parse("2025-01-01T00:00:00Z");

beforeEach(() => void vi.useFakeTimers({ now: AT }));
afterEach(() => void vi.useRealTimers());

const answering = (...points: [number, number][]): Api =>
  ({
    throughput: () => Promise.resolve(points.map(([sequence, ms]) => [sequence, new Date(AT + ms).toISOString()])),
  }) as unknown as Api;

const relative = (points: readonly Point[]): [number, number][] => points.map(([sequence, at]) => [sequence, at - AT]);

test("each bucket has the rate of its events, and all events are counted", () => {
  const points: Point[] = [
    [1, 0],
    [101, 10_000],
    [101, 20_000],
    [1_101, 30_000],
  ];

  const { at, rate } = rates(points, 0, 30_000);

  const within = (from: number, to: number): number[] => rate.filter((_, n) => (at[n] ?? 0) > from && (at[n] ?? 0) < to);
  expect(within(1, 9).every((value) => Math.abs(value - 10) < 0.01)).toBe(true);
  expect(within(11, 19).every((value) => value === 0)).toBe(true);
  expect(within(21, 29).every((value) => Math.abs(value - 100) < 0.01)).toBe(true);
  const width = (at[1] ?? 0) - (at[0] ?? 0);
  expect(rate.reduce((sum, value) => sum + value * width, 0)).toBeCloseTo(1_101, 0);
  expect(at.length).toBeLessThanOrEqual(90);
});

test("a burst within one moment is no division by nothing", () => {
  const { rate } = rates([[1, 0], [500, 0], [500, 1_000]], 0, 1_000);

  expect(rate.every(Number.isFinite)).toBe(true);
  expect(rate[0]).toBeGreaterThan(400);
  expect(rate.slice(1).every((value) => value === 0)).toBe(true);
});

test("of one event, or none, there is no speed", () => {
  expect([rates([], 0, 1_000), rates([[1, 0]], 0, 1_000), rates([[1, 0], [2, 0]], 0, 0)]).toEqual(
    Array(3).fill({ at: [], rate: [] }),
  );
});

test("what the server sampled is followed by what was seen since, however late it answers", async () => {
  const throughput = new Throughput("t", answering([1, 0], [50, 2_000]));
  const loading = throughput.load();
  throughput.add(40, AT + 1_500);
  throughput.add(60, AT + 3_000);

  await loading;

  expect(relative(throughput.points.value)).toEqual([
    [1, 0],
    [50, 2_000],
    [60, 3_000],
  ]);
});

test("a worker's clock that steps back does not turn time around", async () => {
  const throughput = new Throughput("t", answering([1, 0], [2, 5_000], [3, 4_000], [4, 6_000]));

  await throughput.load();

  expect(relative(throughput.points.value).map(([, at]) => at)).toEqual([0, 5_000, 5_000, 6_000]);
});

test("samples are taken twice a second at most, and are never more than a chart can bear", () => {
  const throughput = new Throughput("t", answering());
  throughput.add(1, AT);
  throughput.add(2, AT + 100);
  expect(throughput.points.value).toHaveLength(1);

  for (let n = 1; n <= 2_000; n++) throughput.add(n, AT + 1_000 * n);

  expect(throughput.points.value.length).toBeLessThanOrEqual(601);
  expect(throughput.points.value.at(-1)).toEqual([2_000, AT + 2_000_000]);
});

test("without an answer the chart shows what was seen", async () => {
  const api = { throughput: () => Promise.reject(new Error("away")) } as unknown as Api;
  const throughput = new Throughput("t", api);
  throughput.add(5, AT);

  await throughput.load();

  expect(relative(throughput.points.value)).toEqual([[5, 0]]);
});

test("a time leads to the sequence that the run had then, between two samples in proportion", () => {
  const points = [[10, 1_000], [30, 2_000], [30, 3_000]] as const;

  expect([0, 1_000, 1_500, 2_000, 2_500, 9_000].map((at) => sequenceAt(points, at))).toEqual([10, 10, 20, 30, 30, 30]);
});

test("the curve is an area that ends where the run does", () => {
  expect(areaOf({ at: [1, 3], rate: [5, 10] }, 4)).toBe("M0 100V52L25 52L75 4L100 4V100Z");
  expect(areaOf({ at: [], rate: [] }, 4)).toBe("M0 100");
});
