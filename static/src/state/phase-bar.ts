import { Problem } from "../client/problem";
import { phaseRows } from "../client/phaseRows";
import { namedRows, segmentsOf, type Segment } from "../client/segments";
import type { JobType, TaskState } from "../client/types";
import { progressOf } from "./estimate";
import { count, percentText, quantity } from "./format";
import { declaredPhases } from "./phases";

export { segmentsOf, type Segment } from "../client/segments";

/** Returns the bar of a run in a list, where little more is known than the names of its phases. */
export function rowSegments(row: TaskState, types: readonly JobType[] | Problem | null, now: number): Segment[] {
  const names = declaredPhases(row.task, types);
  return segmentsOf(row.task, namedRows(row.task, phaseRows(row, names), names), progressOf(row.task), now);
}

/** Returns the bar in words: "31 %, phase 2 of 4, test is running, 3 errors". */
export function wordsOf(segments: readonly Segment[], value: number | null): string {
  const at = segments.findIndex(({ state }) => ["running", "waiting", "failed", "stopped"].includes(state));
  const present = segments[at];
  const errors = segments.reduce((sum, segment) => sum + segment.errors, 0);
  const parts = [
    value === null ? "how far is not known" : percentText(value),
    present?.phase_id && `phase ${count(at + 1)} of ${count(segments.length)}, ${present.phase_id} ${VERBS[present.state]}`,
    errors > 0 && quantity(errors, "error"),
  ];
  return parts.filter(Boolean).join(", ");
}

const VERBS: Partial<Record<Segment["state"], string>> = {
  running: "is running",
  waiting: "is waiting",
  failed: "failed",
  stopped: "was stopped",
};

/** One tick for an error, two for ten and more, three for a hundred and more. */
export const stepsOfErrors = (errors: number): number => Math.min(3, String(errors).length);
