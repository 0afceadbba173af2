import type { Task } from "../client/types";
import { progressOf } from "./estimate";
import { stateWord } from "./marks";

const ENDED: Partial<Record<Task["status"], string>> = { SUCCESS: "✓", FAILURE: "✕", REVOKED: "✕" };

/** What a browser's tab says of the run. */
export function titleOf(task: Task): string {
  const value = progressOf(task);
  return `${ENDED[task.status] ?? (value === null ? stateWord(task.status) : `${value} %`)} · ${task.job_type}`;
}

/** What screen readers are told: how the run stands and what it does, not each percent. */
export function announcementOf(task: Task): string {
  const phase = task.status === "STARTED" && task.current_phase ? `, ${task.current_phase}` : "";
  return `${task.job_type} ${stateWord(task.status)}${phase}`;
}
