import { sectionsAfter } from "./sections";
import type { Phase, Task, TaskEvent, TaskState } from "./types";

/** The fields of `task` that a `task_status` may give. */
const TASK_FIELDS = [
  "task_id",
  "user_id",
  "job_type",
  "title",
  "intent",
  "params",
  "parent_id",
  "retry_of",
  "again_of",
  "trigger",
  "created_at",
  "status",
  "is_running",
  "current_phase",
  "current_phase_message",
  "progress",
  "started_at",
  "updated_at",
  "finished_at",
  "eta_seconds",
  "result",
  "error",
  "retry_count",
  "attempt",
  "worker",
  "progress_known",
  "plan",
  "observed",
  "can_retry",
  "queue",
  "root_id",
  "group_id",
  "attempt_started_at",
  "usual",
] as const satisfies readonly (keyof Task)[];

/** The state before the first event, which gives every field of the task. */
export const NOTHING: TaskState = {
  task: Object.fromEntries([...TASK_FIELDS, "status_sequence"].map((field) => [field, null])) as unknown as Task,
  phases: [],
  sections: [],
  sequence: 0,
};

/** Returns the state after one more event, by the table "The fold" of docs/protocol.md. Never changes its arguments. */
export function fold(state: TaskState, event: TaskEvent): TaskState {
  const next = folded(state, event);
  if (!state.sections) return next;
  const sections = sectionsAfter(state.sections, event, next.task.retry_count);
  return sections === state.sections ? next : { ...next, sections };
}

function folded(state: TaskState, event: TaskEvent): TaskState {
  switch (event.type) {
    case "task_status":
      return { ...state, task: taskStatus(state.task, event), sequence: event.sequence };
    case "phase_update":
      return phaseUpdate(state, event);
    case "phase_complete":
      return phaseComplete(state, event);
    default:
      return { ...state, sequence: event.sequence };
  }
}

function taskStatus(task: Task, event: TaskEvent): Task {
  const given = TASK_FIELDS.filter((field) => field in event).map((field) => [field, event[field]]);
  return { ...task, ...(Object.fromEntries(given) as Partial<Task>), status_sequence: event.sequence };
}

function phaseUpdate(state: TaskState, event: TaskEvent): TaskState {
  const fresh = event.status === "active";
  const before = fresh ? { ...newPhase(event), started_at: event.timestamp as string } : findPhase(state, event);
  const phase: Phase = {
    ...before,
    status: event.status as Phase["status"],
    ...nonNull(event, "message", "processed_count", "total_count", "error_count"),
    ...("eta_seconds" in event ? { eta_seconds: event.eta_seconds as number | null } : {}),
    updated_at: event.timestamp as string,
    sequence: event.sequence,
  };
  const runs = fresh || event.status === "in_progress";
  if (runs) phase.half_seconds = halfSeconds(before, phase);
  const current: Partial<Task> =
    runs
      ? { current_phase: phase.phase_id, current_phase_message: phase.message }
      : {};
  return withPhase(state, phase, event, current);
}

/** Returns how long after its begin a phase had done half of its items, had it been steady since its last report. */
function halfSeconds(before: Phase, now: Phase): number | null {
  const half = (now.total_count ?? 0) / 2;
  if (!half || now.processed_count < half || !now.started_at) return null;
  const done = before.processed_count;
  if (now.half_seconds != null || done >= half) return now.half_seconds ?? null;
  const [begin, last, at] = [now.started_at, before.updated_at, now.updated_at].map((time) => Date.parse(time));
  const part = (half - done) / (now.processed_count - done);
  return Math.max(0, Math.floor(last! - begin! + part * (at! - last!) + 0.5)) / 1_000;
}

function phaseComplete(state: TaskState, event: TaskEvent): TaskState {
  const phase: Phase = {
    ...findPhase(state, event),
    status: "completed",
    eta_seconds: null,
    ...nonNull(event, "processed_count", "total_count", "error_count", "duration_seconds"),
    updated_at: event.timestamp as string,
  };
  return withPhase(state, phase, event, {});
}

function withPhase(state: TaskState, phase: Phase, event: TaskEvent, current: Partial<Task>): TaskState {
  const known = state.phases.some((other) => other.phase_id === phase.phase_id);
  const phases = known
    ? state.phases.map((other) => (other.phase_id === phase.phase_id ? phase : other))
    : [...state.phases, phase];
  const progress = event.progress == null ? {} : { progress: event.progress as number };
  // An estimate is as old as `updated_at`, or withdrawn.
  const eta_seconds = (event.task_eta_seconds as number | undefined) ?? null;
  const task: Task = { ...state.task, updated_at: event.timestamp as string, eta_seconds, ...progress, ...current };
  return { ...state, task, phases, sequence: event.sequence };
}

function findPhase(state: TaskState, event: TaskEvent): Phase {
  return state.phases.find((phase) => phase.phase_id === event.phase_id) ?? newPhase(event);
}

function newPhase(event: TaskEvent): Phase {
  return {
    phase_id: event.phase_id as string,
    status: "active",
    message: "",
    processed_count: 0,
    total_count: null,
    error_count: 0,
    eta_seconds: null,
    started_at: null,
    updated_at: event.timestamp as string,
    duration_seconds: null,
    half_seconds: null,
    sequence: 0,
  };
}

function nonNull<K extends keyof Phase>(event: TaskEvent, ...fields: K[]): Partial<Pick<Phase, K>> {
  const given = fields.filter((field) => event[field] != null).map((field) => [field, event[field]]);
  return Object.fromEntries(given) as Partial<Pick<Phase, K>>;
}
