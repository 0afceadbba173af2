import { Problem } from "../client/problem";
import type { PhaseRow, PhaseState } from "../client/phaseRows";
import type { JobType, Task } from "../client/types";
import { hasTitle } from "./format";

export { phaseRows, type PhaseRow, type PhaseState } from "../client/phaseRows";

/** The job type whose steps are tasks of their own, each a phase of it. */
export const ORCHESTRATE = "orchestrate";

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
const stepName = (number: number, jobType: string): string => `${number}_${jobType}`;

/** Returns the titles of the steps of a run by their phases. `children`: its tasks in their order. */
export const stepTitles = (children: readonly Task[]): ReadonlyMap<string, string> =>
  new Map(children.flatMap((task, index) => (hasTitle(task) ? [[stepName(index + 1, task.job_type), task.title]] : [])));

/** Returns the phases of a run, each in the state of its step: one that waits for approval does not run, and one that was cancelled did
 * not fail. */
export const withSteps = (rows: readonly PhaseRow[], children: readonly Task[]): readonly PhaseRow[] => {
  const steps = new Map(children.map(({ job_type, status }, index) => [stepName(index + 1, job_type), status]));
  return rows.map((row) => {
    const status = steps.get(row.phase_id);
    if (row.state === "running" && status === "WAITING") return { ...row, state: "waiting" };
    return row.state === "failed" && status === "REVOKED" ? { ...row, state: "stopped" } : row;
  });
};

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
