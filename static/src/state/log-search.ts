import type { LogFilter, LogLine, LogQuery } from "../client/types";
import type { AskLog } from "./log-source";

export type Direction = "next" | "previous";

export interface Hit {
  line: LogLine;
  /** It was found by going on from the other end. */
  wrapped: boolean;
}

/** Told after each answer without a hit: how many events were looked at. */
type Told = (looked: number) => void;

/** Finds the line nearest to `from` in one direction that passes the filter, around the end if need be; `from` itself
 * comes last. The server looks at so many events a call and says where to go on. Null: there is none, or cancelled. */
export async function search(
  ask: AskLog,
  filter: LogFilter,
  from: number,
  direction: Direction,
  told: Told,
  cancelled: AbortSignal,
): Promise<Hit | null> {
  const forward = direction === "next";
  let looked = 0;
  for (const wrapped of [false, true]) {
    let cursor: number | null = wrapped ? (forward ? 0 : null) : from;
    while (!cancelled.aborted) {
      const query: LogQuery = { ...filter, limit: 1 };
      if (forward) query.since_sequence = cursor ?? 0;
      else if (cursor !== null) query.before_sequence = cursor;
      const page = await ask(query);
      if (cancelled.aborted) return null;
      const line = page.logs[0];
      const beyond = wrapped && line && (forward ? line.sequence > from : line.sequence < from);
      if (line && !beyond) return { line, wrapped };
      if (beyond) return null;
      const next: number = forward ? page.next_sequence : page.before_sequence;
      looked += Math.abs(next - (cursor ?? page.next_sequence + 1));
      told(looked);
      const around = wrapped && (forward ? next >= from : next <= from);
      if (around || !page.has_more || next === cursor) break;
      cursor = next;
    }
  }
  return null;
}

export interface Span {
  start: number;
  end: number;
}

/** Where a text holds what is searched for, case ignored as the server does. */
export function hits(text: string, wanted: string): Span[] {
  if (!wanted) return [];
  // By a pattern and not by lower-casing both: some letters become longer by that, and every place after them is off.
  const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  return [...text.matchAll(pattern)].map(({ index, 0: { length } }) => ({ start: index, end: index + length }));
}
