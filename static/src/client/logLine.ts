import { errorText } from "./outcome";
import type { LogLine, TaskError, TaskEvent } from "./types";

/** Returns the line of the log that an event is: that of a `log`, or of a retry, which says why and when. Null: it is none.
 * `app/tasks/logs.py` has the same words. */
export function logLineOf(event: TaskEvent): LogLine | null {
  if (event.type === "log") return event as unknown as LogLine;
  // One without `retry_count` changes other fields of a task that waits for its next attempt.
  if (event.type !== "task_status" || event.status !== "RETRY" || event.retry_count === undefined) return null;
  const { sequence, timestamp } = event as unknown as LogLine;
  return { sequence, timestamp, level: "WARNING", message: retryText(event), component: "taskroom", phase: null };
}

/** Whether a line is that of a retry. */
export const isRetry = ({ component, message }: LogLine): boolean =>
  component === "taskroom" && /(^|\n)Attempt \d+ follows( in \S+ s)?$/.test(message);

function retryText({ error, retry_count, retry_in_seconds }: TaskEvent): string {
  const after = retry_in_seconds ? ` in ${Number(Number(retry_in_seconds).toPrecision(6))} s` : "";
  return `${error ? `${errorText(error as TaskError)}\n` : ""}Attempt ${Number(retry_count) + 1} follows${after}`;
}
