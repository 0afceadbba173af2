import type { Queue } from "../client/fleet";
import { count } from "./format";
import { duration } from "./time";

/** How long a page remembers how many waited. */
const KEPT_MS = 10 * 60_000;
/** Within less nobody can say that a queue grows. */
const LEAST_MS = 30_000;

interface Depth {
  at: number;
  depth: number;
}

/** How a queue gets on while the page is open. */
export interface Trend {
  /** Points of a line in a box of 1 by 1. */
  points: string;
  /** "12 more in 4 m 00 s"; empty while nothing can be said. */
  text: string;
  grows: boolean;
}

type Named = Pick<Queue, "name" | "own" | "reporter">;

/** Two projects may each have a queue, or a worker, of one name. */
export const keyOf = ({ name, own, reporter }: Named): string => `${own} ${reporter} ${name}`;

/** The depths of queues in the last minutes, as far as the page has seen them. */
export class QueueDepths {
  private readonly seen = new Map<string, Depth[]>();

  /** `now` in milliseconds. */
  add(queues: readonly Queue[], now: number): void {
    for (const queue of queues) {
      const depths = (this.seen.get(keyOf(queue)) ?? []).filter(({ at }) => at >= now - KEPT_MS);
      this.seen.set(keyOf(queue), [...depths, { at: now, depth: queue.depth }]);
    }
  }

  of(queue: Named): Trend {
    const depths = this.seen.get(keyOf(queue)) ?? [];
    const [first, last] = [depths[0], depths.at(-1)];
    if (!first || !last || last.at - first.at < LEAST_MS) return { points: "", text: "", grows: false };
    const most = Math.max(1, ...depths.map(({ depth }) => depth));
    const x = (at: number): string => ((at - first.at) / (last.at - first.at)).toFixed(3);
    const points = depths.map(({ at, depth }) => `${x(at)},${(1 - depth / most).toFixed(3)}`).join(" ");
    const change = last.depth - first.depth;
    const within = `in ${duration((last.at - first.at) / 1_000)}`;
    return { points, grows: change > 0, text: change ? `${count(Math.abs(change))} ${change > 0 ? "more" : "fewer"} ${within}` : "" };
  }
}
