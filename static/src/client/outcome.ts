import type { Task } from "./types";

/** Whether a task was revoked because nobody took it in time. */
export const isExpired = ({ status, error }: Pick<Task, "status" | "error">): boolean =>
  status === "REVOKED" && error !== null && (error.type === "Expired" || /\bexpired\b/i.test(error.message));

/** Returns why a run did not succeed; null where that only repeats its status. */
export function reasonOf({ status, error }: Pick<Task, "status" | "error">): string | null {
  if (!error) return null;
  if (status !== "REVOKED") return `${error.type}: ${error.message}`;
  return ["cancelled", "expired"].includes(error.message.toLowerCase()) ? null : error.message;
}
