import { fold } from "../client/fold";
import { isTerminal, type Phase, type Status, type Task, type TaskError, type TaskEvent, type TaskState } from "../client/types";
import { quantity } from "./format";

/** A run as a list keeps it. */
export interface Row extends TaskState {
  /** False after the end of the run became known without its result. */
  complete: boolean;
}

/** Leaves out what may be large: ten thousand rows are kept, and each task may have half a megabyte. */
const light = (task: Task): Task => ({
  ...task,
  params: null,
  result: null,
  phases: [],
  plan: task.plan?.map(({ phase_id, weight }) => ({ phase_id, weight })) ?? null,
  error: task.error && lightError(task.error),
});

const lightError = ({ type, message, phase }: TaskError): TaskError => ({
  type,
  message,
  ...(phase === undefined ? {} : { phase }),
});

export const rowOf = (task: Task): Row => ({
  task: light(task),
  phases: phasesOf(task),
  sequence: task.status_sequence,
  complete: true,
});

const phasesOf = (task: Task): Phase[] =>
  (task.phases ?? []).map((phase) => ({ ...phase, message: "", eta_seconds: null, sequence: task.status_sequence }));

/** Updates a row by a page of the list, which may be older than events that came since its request. */
export function rowAfterPage(row: Row, task: Task): Row {
  const older = (task.updated_at ?? "") < (row.task.updated_at ?? "");
  if (older || (isTerminal(row.task.status) && !isTerminal(task.status))) return row;
  // Of a run that succeeded a page has no phases; those that events told of stay.
  const phases = task.phases?.length ? phasesOf(task) : row.phases;
  return { task: light(task), phases, sequence: Math.max(row.sequence, task.status_sequence), complete: true };
}

/** Updates a row by an event of the run's own stream. */
export function rowAfterEvent(row: Row, event: TaskEvent): Row {
  if (event.sequence < row.sequence) return row;
  const { task, phases, sequence } = fold(row, event);
  const ended = isTerminal(task.status);
  return { task: light(task), phases, sequence, complete: row.complete || (ended && event.type === "task_status") };
}

/** Updates a row by a `status_changed` of the user's stream, which contains little of the run: not how it ended. */
export function rowAfterStatusChange(row: Row, event: TaskEvent): Row {
  const { task } = row;
  const status = event.status as Status;
  const timestamp = event.timestamp as string;
  const ends = isTerminal(status);
  // The row may be ahead of the event already.
  if (isTerminal(task.status) || (task.status !== event.previous_status && !ends)) return row;
  const changed: Task = {
    ...task,
    status,
    is_running: status === "STARTED",
    started_at: status === "STARTED" ? (task.started_at ?? timestamp) : task.started_at,
    updated_at: timestamp,
    ...(ends ? { finished_at: timestamp, eta_seconds: null, current_phase_message: null } : {}),
    ...(status === "SUCCESS" ? { progress: 100, progress_known: true } : {}),
  };
  return { ...row, task: changed, complete: !ends };
}

const MOST_ERROR_LINES = 100; // that the server counts for a row

/** Says how many items a run could not do, or lines of its log are errors where these are more; "" where there are none. */
export function errorsText({ task, phases }: Row): string {
  const now = phases.reduce((sum, phase) => sum + phase.error_count, 0);
  const items = Math.max(now, task.error_count ?? 0);
  const lines = task.error_lines ?? 0;
  if (lines <= items) return items ? quantity(items, "error") : "";
  return lines < MOST_ERROR_LINES ? quantity(lines, "error") : `${MOST_ERROR_LINES}+ errors`;
}

/** Whether `task` comes after `other` in a list that is newest first. */
export const isOlder = (task: Task, other: Task): boolean =>
  task.created_at === other.created_at ? task.task_id < other.task_id : task.created_at < other.created_at;
