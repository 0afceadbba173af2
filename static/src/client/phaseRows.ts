import { isTerminal, type Phase, type Task, type TaskState } from "./types";

export type PhaseState = "not begun" | "not reached" | "running" | "waiting" | "done" | "failed" | "stopped";

/** A phase as the page shows it. `phase` is null before it begins. */
export interface PhaseRow {
  phase_id: string;
  phase: Phase | null;
  state: PhaseState;
  /** Of a row that is no phase: where between phases the run failed. */
  between?: string;
}

/** Returns the phases in the order in which they began, then those that have not begun, between them the place where the
 * run failed when that was in none. A run that has succeeded without a phase no longer shows it. */
export function phaseRows({ task, phases }: TaskState, declared: readonly string[]): PhaseRow[] {
  const begun = new Set(phases.map(({ phase_id }) => phase_id));
  const ahead = task.status === "SUCCESS" ? [] : declared.filter((phase_id) => !begun.has(phase_id));
  const state = isTerminal(task.status) ? "not reached" : "not begun";
  return [
    ...phases.map((phase) => ({ phase_id: phase.phase_id, phase, state: phaseStateOf(phase, task) })),
    ...failedBetween(task, phases, ahead.length),
    ...ahead.map((phase_id) => ({ phase_id, phase: null, state }) as const),
  ];
}

function failedBetween(task: Task, phases: readonly Phase[], ahead: number): PhaseRow[] {
  const inPhase = task.error?.phase !== undefined || phases.some(({ status }) => status === "error");
  if (task.status !== "FAILURE" || !task.started_at || inPhase || phases.length + ahead === 0) return [];
  const between = phases.length === 0 ? "before the first phase" : ahead ? "between phases" : "after the last phase";
  return [{ phase_id: "", phase: null, state: "failed", between }];
}

function phaseStateOf(phase: Phase, task: Task): PhaseState {
  if (phase.status === "completed") return "done";
  // A cancel ends open phases like an error, but is none.
  if (phase.status === "error") return task.status === "REVOKED" ? "stopped" : "failed";
  if (isTerminal(task.status)) return "stopped";
  return task.status === "STARTED" ? "running" : "waiting";
}
