import { Problem } from "../client/problem";
import { isTerminal, type JobType, type Phase, type Task, type TaskState } from "../client/types";

/** The job type that is made of others, each a phase of it. */
export const ORCHESTRATE = "orchestrate";

export type Standing = "not begun" | "running" | "waiting" | "done" | "failed" | "stopped";

/** A phase as the page shows it; one that is only declared has no `phase` yet. */
export interface PhaseRow {
  phase_id: string;
  phase: Phase | null;
  standing: Standing;
}

/** In the order in which they began, then those that the job has yet to begin. A run that succeeded without one has no
 * use for it any more. */
export function phaseRows({ task, phases }: TaskState, declared: readonly string[]): PhaseRow[] {
  const begun = new Set(phases.map(({ phase_id }) => phase_id));
  const ahead = task.status === "SUCCESS" ? [] : declared.filter((phase_id) => !begun.has(phase_id));
  return [
    ...phases.map((phase) => ({ phase_id: phase.phase_id, phase, standing: standingOf(phase, task) })),
    ...ahead.map((phase_id) => ({ phase_id, phase: null, standing: "not begun" as const })),
  ];
}

function standingOf(phase: Phase, task: Task): Standing {
  if (phase.status === "completed") return "done";
  // A cancel ends what is open as an error ends it, and is none.
  if (phase.status === "error") return task.status === "REVOKED" ? "stopped" : "failed";
  if (isTerminal(task.status)) return "stopped";
  return task.status === "STARTED" ? "running" : "waiting";
}

/** The phases that a job type names, else those that its earlier runs had; of a task made of others, its steps. */
export function declaredPhases(task: Task, types: readonly JobType[] | Problem | null): readonly string[] {
  const steps = task.job_type === ORCHESTRATE ? task.params?.steps : null;
  if (Array.isArray(steps)) {
    return steps.map((step: { job_type?: unknown } | null, index) => stepName(index + 1, String(step?.job_type)));
  }
  const named = types instanceof Problem ? null : types?.find(({ job_type }) => job_type === task.job_type)?.phases;
  // Where nobody knows what is ahead, what has begun is shown.
  return named?.length ? named : (task.plan ?? []).map(({ phase_id }) => phase_id);
}

/** The phase of its parent that a step is. */
export const stepName = (number: number, jobType: string): string => `${number}_${jobType}`;

/** What needs a look stands open by itself; what the reader chose stays. */
export const isOpen = (standing: Standing, chosen: boolean | undefined): boolean =>
  chosen ?? ["running", "waiting", "failed", "stopped"].includes(standing);

/** From when to when in milliseconds, as far as is known; what is open lasts until `now`. */
export function phaseSpan({ phase, standing }: PhaseRow, task: Task, now: number): [number, number] | null {
  if (!phase) return null;
  const updated = Date.parse(phase.updated_at);
  if (!phase.started_at) {
    return phase.duration_seconds === null ? null : [updated - 1_000 * phase.duration_seconds, updated];
  }
  const from = Date.parse(phase.started_at);
  const ended = standing === "stopped" && task.finished_at ? Date.parse(task.finished_at) : updated;
  const to = standing === "running" || standing === "waiting" ? now : ended;
  return [from, Math.max(from, to)];
}

/** The phase before or after the chosen one, round the end; null when there is none at all. */
export function nextPhase(rows: readonly PhaseRow[], chosen: string | null, step: 1 | -1): string | null {
  const begun = rows.filter(({ phase }) => phase);
  const at = begun.findIndex(({ phase_id }) => phase_id === chosen);
  const from = at < 0 && step < 0 ? 0 : at;
  return begun.at((from + step + begun.length) % Math.max(1, begun.length))?.phase_id ?? null;
}
