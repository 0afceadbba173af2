import { BULK } from "./bulk";
import type { Task, TaskError } from "./types";

/** The word for a bulk action that changed no run; the summary of its worker begins with it. */
export const NOTHING_DONE = "nothing done";

/** Whether a bulk action that has succeeded changed no run: all were refused, or none matched. */
export const didNothing = ({ job_type, status, observed, current_phase_message }: Task): boolean =>
  job_type === BULK && status === "SUCCESS" && !observed && (current_phase_message ?? "").startsWith(NOTHING_DONE);

/** Whether a task was revoked because nobody took it in time. */
const isExpired = ({ status, error }: Pick<Task, "status" | "error">): boolean =>
  status === "REVOKED" && error !== null && (error.type === "Expired" || /\bexpired\b/i.test(error.message));

/** The word for what a status alone does not say; null for other tasks. */
export function specialWord(task: Task): string | null {
  if (isUnreported(task)) return "not reported";
  if (didNothing(task)) return NOTHING_DONE;
  return isExpired(task) ? "expired" : null;
}

/** Whether a task stands for one of which only children were reported. */
const isUnreported = ({ observed, job_type, attempt, status, error }: Task): boolean =>
  observed === true && job_type === "unknown" && !attempt && (status === "PENDING" || error?.type === "NotReported");

/** Returns type and message of an error; only the type where both say the same. */
export function errorText({ type, message }: Pick<TaskError, "type" | "message">): string {
  return ["", type.toLowerCase()].includes(message.replace(/\.$/, "").toLowerCase()) ? type : `${type}: ${message}`;
}

/** Returns why a run did not succeed; null where that only repeats its status. */
export function reasonOf({ status, error }: Pick<Task, "status" | "error">): string | null {
  if (!error) return null;
  if (status !== "REVOKED") return errorText(error);
  return ["cancelled", "expired"].includes(error.message.toLowerCase()) ? null : error.message;
}
