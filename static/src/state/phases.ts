import { Problem } from "../client/problem";
import { isTerminal, type JobType, type Phase, type Task, type TaskState } from "../client/types";

/** The job type whose steps are tasks of their own, each a phase of it. */
export const ORCHESTRATE = "orchestrate";

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

/** Returns the steps of a task that is made of others, else the phases that its job type names, else those of its plan. */
export function declaredPhases(task: Task, types: readonly JobType[] | Problem | null): readonly string[] {
  const steps = task.job_type === ORCHESTRATE ? task.params?.steps : null;
  if (Array.isArray(steps)) {
    return steps.map((step: { job_type?: unknown } | null, index) => stepName(index + 1, String(step?.job_type)));
  }
  const named = types instanceof Problem ? null : types?.find(({ job_type }) => job_type === task.job_type)?.phases;
  return named?.length ? named : (task.plan ?? []).map(({ phase_id }) => phase_id);
}

/** Returns the name of a step as a phase of its parent. */
export const stepName = (number: number, jobType: string): string => `${number}_${jobType}`;

/** Whether a phase shows its details: by the reader's choice, else when it needs a look. */
export const isOpen = (state: PhaseState, chosen: boolean | undefined): boolean =>
  chosen ?? ["running", "waiting", "failed", "stopped"].includes(state);

/** Returns begin and end of a phase in milliseconds, null where they are not known. An open phase lasts until `now`. */
export function phaseSpan({ phase, state }: PhaseRow, task: Task, now: number): [number, number] | null {
  if (!phase) return null;
  const updated = Date.parse(phase.updated_at);
  if (!phase.started_at) {
    return phase.duration_seconds === null ? null : [updated - 1_000 * phase.duration_seconds, updated];
  }
  const from = Date.parse(phase.started_at);
  const ended = state === "stopped" && task.finished_at ? Date.parse(task.finished_at) : updated;
  const to = state === "running" || state === "waiting" ? now : ended;
  return [from, Math.max(from, to)];
}

/** Returns the phase before or after the chosen one, after the last the first; null when none has begun. */
export function nextPhase(rows: readonly PhaseRow[], chosen: string | null, step: 1 | -1): string | null {
  const begun = rows.filter(({ phase }) => phase);
  const at = begun.findIndex(({ phase_id }) => phase_id === chosen);
  const from = at < 0 && step < 0 ? 0 : at;
  return begun.at((from + step + begun.length) % Math.max(1, begun.length))?.phase_id ?? null;
}
