import type { LogFilter, LogLine, LogQuery } from "../client/types";
import type { LoadLog } from "./log-source";

export type Direction = "next" | "previous";

interface Hit {
  line: LogLine;
  /** The search reached the end and went on from the other one. */
  wrapped: boolean;
}

/** Finds the line nearest to `from` in one direction that passes the filter. After the end it goes on from the other one;
 * `from` itself comes last. The server looks at a limited number of events a call and says where to go on; `progress` gets
 * how many were looked at. Returns null when there is no such line, or the search was cancelled. */
export async function searchLog(
  load: LoadLog,
  filter: LogFilter,
  from: number,
  direction: Direction,
  progress: (looked: number) => void,
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
      const page = await load(query);
      if (cancelled.aborted) return null;
      const line = page.logs[0];
      const beyond = wrapped && line && (forward ? line.sequence > from : line.sequence < from);
      if (line && !beyond) return { line, wrapped };
      if (beyond) return null;
      const next: number = forward ? page.next_sequence : page.before_sequence;
      looked += Math.abs(next - (cursor ?? page.next_sequence + 1));
      progress(looked);
      const around = wrapped && (forward ? next >= from : next <= from);
      if (around || !page.has_more || next === cursor) break;
      cursor = next;
    }
  }
  return null;
}
