import { Problem } from "../client/problem";
import { phaseRows, type PhaseRow } from "../client/phaseRows";
import { namedRows, segmentsOf, type Segment } from "../client/segments";
import { isTerminal, type JobType, type Task, type TaskState } from "../client/types";
import { progressOf } from "./estimate";
import { count, percentText, quantity } from "./format";
import { declaredPhases } from "./phases";

export { segmentsOf, type Segment } from "../client/segments";

/** Returns the bar of a run in a list, where little more is known than the names of its phases. */
export function rowSegments(row: TaskState, types: readonly JobType[] | Problem | null, now: number): Segment[] {
  const names = declaredPhases(row.task, types);
  const rows = namedRows(row.task, phaseRows(row, names), names);
  return segmentsOf(row.task, waitsBelow(row.task) ? withWaiting(rows, row.task.waiting_below ?? 0) : rows, progressOf(row.task), now);
}

/** Whether a run that is not over has a step that waits for approval. */
export const waitsBelow = ({ status, waiting_below }: Task): boolean => !isTerminal(status) && Boolean(waiting_below);

/** Whether it, or a step of it, waits for approval. */
export const needsApproval = (task: Task): boolean => task.status === "WAITING" || waitsBelow(task);

/** Which steps wait a list does not know: where no more run than wait, those that run do. */
function withWaiting(rows: readonly PhaseRow[], waiting: number): readonly PhaseRow[] {
  if (rows.filter(({ state }) => state === "running").length > waiting) return rows;
  return rows.map((row) => (row.state === "running" ? { ...row, state: "waiting" } : row));
}

/** Returns the bar in words: "31 %, phase 2 of 4, test is running, 3 errors". */
export function wordsOf(segments: readonly Segment[], value: number | null): string {
  const at = segments.findIndex(({ state }) => ["running", "waiting", "failed", "stopped"].includes(state));
  const present = segments[at];
  const errors = segments.reduce((sum, segment) => sum + segment.errors, 0);
  const parts = [
    value === null ? "how far is not known" : percentText(value),
    present?.phase_id && `phase ${count(at + 1)} of ${count(segments.length)}, ${present.phase_id} ${VERBS[present.state]}`,
    present && !present.phase_id && at > 0 && `${VERBS[present.state]} after its last phase`,
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
