import { isTerminal, type Status, type Task, type TaskEvent, type TaskState } from "../client/types";
import { fold } from "../client/fold";

/** A run as a list keeps it. `whole`: all of it is known, its end too. */
export interface Row extends TaskState {
  whole: boolean;
}

/** Ten thousand rows are kept, of which each may have half a megabyte of parameters and result. */
const light = (task: Task): Task => ({
  ...task,
  params: null,
  result: null,
  plan: null,
  error: task.error && { type: task.error.type, message: task.error.message },
});

export const rowOf = (task: Task): Row => ({
  task: light(task),
  phases: [],
  sequence: task.status_sequence,
  whole: true,
});

/** What a page says of a run that is known: the page may have been asked for before what was heard since. */
export function updated(row: Row, task: Task): Row {
  const older = (task.updated_at ?? "") < (row.task.updated_at ?? "");
  if (older || (isTerminal(row.task.status) && !isTerminal(task.status))) return row;
  return { ...row, task: light(task), sequence: Math.max(row.sequence, task.status_sequence), whole: true };
}

/** After an event of the run's own stream. */
export function heard(row: Row, event: TaskEvent): Row {
  if (event.sequence < row.sequence) return row;
  const { task, phases, sequence } = fold(row, event);
  const ended = isTerminal(task.status);
  return { task: light(task), phases, sequence, whole: row.whole || (ended && event.type === "task_status") };
}

/** After a `status_changed` of the owner's stream, which says little of the run: how it ended is still to be heard. */
export function told(row: Row, event: TaskEvent): Row {
  const { task } = row;
  const status = event.status as Status;
  const timestamp = event.timestamp as string;
  const ends = isTerminal(status);
  // An event that the row is ahead of already must not take it back.
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
  return { ...row, task: changed, whole: !ends };
}

/** How many items its phases could not do. */
export const errorsOf = ({ phases }: Row): number => phases.reduce((sum, phase) => sum + phase.error_count, 0);

/** Whether `task` comes after `other` in a list that is newest first. */
export const isOlder = (task: Task, other: Task): boolean =>
  task.created_at === other.created_at ? task.task_id < other.task_id : task.created_at < other.created_at;
