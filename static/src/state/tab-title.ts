import type { Task } from "../client/types";
import { progressOf } from "./estimate";
import { statusWord } from "./marks";

const ENDED: Partial<Record<Task["status"], string>> = { SUCCESS: "✓", FAILURE: "✕", REVOKED: "✕" };

/** Returns the title of a run's browser tab. */
export function titleOf(task: Task): string {
  const value = progressOf(task);
  return `${ENDED[task.status] ?? (value === null ? statusWord(task.status) : `${value} %`)} · ${task.job_type}`;
}

/** Returns what screen readers announce of a run: its status and phase, not each percent. */
export function announcementOf(task: Task): string {
  const phase = task.status === "STARTED" && task.current_phase ? `, ${task.current_phase}` : "";
  return `${task.job_type} ${statusWord(task.status)}${phase}`;
}
