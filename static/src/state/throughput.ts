import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { stepFor } from "./axis";

/** How many events the task had at a time (milliseconds). */
export type Point = readonly [sequence: number, at: number];

const SAMPLE_MS = 500;
const MOST_POINTS = 600;
const MOST_BUCKETS = 90;

/** The events of a run over time: the server's samples of the past, and the present ones. */
export class Throughput {
  readonly points = signal<readonly Point[]>([]);
  private requests = 0;

  constructor(
    private readonly taskId: string,
    private readonly api: Api,
  ) {}

  /** Loads the samples again. Without an answer the chart shows the present ones; it is not worth an error on the page. */
  async load(): Promise<void> {
    const request = ++this.requests;
    const points = await this.api.throughput(this.taskId).catch(() => null);
    if (!points || request !== this.requests) return;
    const sampled = ordered(points.map(([sequence, timestamp]) => [sequence, Date.parse(timestamp)]));
    const last = sampled.at(-1)?.[0] ?? 0;
    this.points.value = [...sampled, ...this.points.value.filter(([sequence]) => sequence > last)];
  }

  /** Adds the present sequence of the stream. */
  add(sequence: number, at: number): void {
    const points = this.points.value;
    const last = points.at(-1);
    if (last && (sequence < last[0] || at - last[1] < SAMPLE_MS)) return;
    const kept = points.length < MOST_POINTS ? points : points.filter((_, index) => index % 2 === 0);
    this.points.value = [...kept, [sequence, at]];
  }
}

/** Timestamps are of the worker's clock, which may step back; a later event then counts as no earlier. */
function ordered(points: readonly Point[]): Point[] {
  let latest = -Infinity;
  return points.map(([sequence, at]) => [sequence, (latest = Math.max(latest, at))] as const);
}

interface Rates {
  /** Seconds since `from`, the middle of each bucket. */
  at: number[];
  /** Events per second. */
  rate: number[];
}

/** Events per second in equal buckets between two moments (milliseconds). */
export function rates(points: readonly Point[], from: number, to: number): Rates {
  const seconds = (to - from) / 1_000;
  const result: Rates = { at: [], rate: [] };
  if (points.length < 2 || seconds <= 0) return result;
  const width = stepFor(seconds, MOST_BUCKETS);
  let next = 0;
  const countAt = (at: number): number => {
    while (next < points.length && (points[next] as Point)[1] <= at) next++;
    const before = points[next - 1];
    const after = points[next];
    if (!before) return (after as Point)[0] - 1;
    if (!after) return before[0];
    return before[0] + ((after[0] - before[0]) * (at - before[1])) / (after[1] - before[1]);
  };
  let count = countAt(from - 1);
  for (let begin = 0; begin < seconds; begin += width) {
    const end = Math.min(begin + width, seconds);
    const until = countAt(from + end * 1_000);
    // The last bucket may be short; divided by the whole width its rate would be too low.
    const lasted = Math.max(end - begin, width / 2);
    result.at.push(begin + width / 2);
    result.rate.push((until - count) / lasted);
    count = until;
  }
  return result;
}

/** Returns the curve as the path of an area of 100 by 100. */
export function areaOf({ at, rate }: Rates, seconds: number): string {
  const most = Math.max(...rate);
  if (rate.length === 0 || most <= 0) return "M0 100";
  const number = (value: number): string => String(Number(value.toFixed(2)));
  const tops = at.map((middle, n) => `${number((100 * middle) / seconds)} ${number(100 - (96 * (rate[n] ?? 0)) / most)}`);
  const [first = "", last = ""] = [tops[0], tops.at(-1)].map((top) => top?.split(" ")[1] ?? "100");
  return `M0 100V${first}L${tops.join("L")}L100 ${last}V100Z`;
}

/** Returns the sequence that the run had reached at a time (milliseconds). */
export function sequenceAt(points: readonly Point[], at: number): number {
  const after = points.findIndex(([, time]) => time >= at);
  const [end, begin] = [points[after], points[after - 1]];
  if (!end) return points.at(-1)?.[0] ?? 1;
  if (!begin) return Math.max(1, end[0]);
  const share = end[1] > begin[1] ? (at - begin[1]) / (end[1] - begin[1]) : 0;
  return Math.max(1, Math.round(begin[0] + share * (end[0] - begin[0])));
}
