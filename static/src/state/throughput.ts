import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { stepFor } from "./axis";

/** How many events the task had by when (milliseconds). */
export type Point = readonly [sequence: number, at: number];

const SAMPLE_MS = 500;
const MOST_POINTS = 600;
const MOST_BUCKETS = 90;

/** How fast a run's events come: what the server sampled of the past, and what is seen since. */
export class Throughput {
  readonly points = signal<readonly Point[]>([]);
  private asked = 0;

  constructor(
    private readonly taskId: string,
    private readonly api: Api,
  ) {}

  /** Asks the server anew. A chart is no reason for an error on the page: without an answer it shows what was seen. */
  async load(): Promise<void> {
    const asked = ++this.asked;
    const points = await this.api.throughput(this.taskId).catch(() => null);
    if (!points || asked !== this.asked) return;
    const sampled = ordered(points.map(([sequence, timestamp]) => [sequence, Date.parse(timestamp)]));
    const last = sampled.at(-1)?.[0] ?? 0;
    this.points.value = [...sampled, ...this.points.value.filter(([sequence]) => sequence > last)];
  }

  /** Where the stream stands now. */
  seen(sequence: number, at: number): void {
    const points = this.points.value;
    const last = points.at(-1);
    if (last && (sequence < last[0] || at - last[1] < SAMPLE_MS)) return;
    const kept = points.length < MOST_POINTS ? points : points.filter((_, index) => index % 2 === 0);
    this.points.value = [...kept, [sequence, at]];
  }
}

/** Worker's clocks make the timestamps; where one steps back the later event counts as no earlier. */
function ordered(points: readonly Point[]): Point[] {
  let latest = -Infinity;
  return points.map(([sequence, at]) => [sequence, (latest = Math.max(latest, at))] as const);
}

export interface Rates {
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
    // The last bucket may only have begun: over its whole width it would seem slow.
    const lasted = Math.max(end - begin, width / 2);
    result.at.push(begin + width / 2);
    result.rate.push((until - count) / lasted);
    count = until;
  }
  return result;
}
