import type { Below } from "../client/observed";
import { didNothing } from "../client/outcome";
import type { Task } from "../client/types";
import { failedShort } from "./below";
import { progressOf } from "./estimate";
import { statusWord, taskWord } from "./marks";

const ENDED: Partial<Record<Task["status"], string>> = { SUCCESS: "✓", FAILURE: "✕", REVOKED: "✕" };

/** Returns the title of a run's browser tab, which also says what failed below it. */
export function titleOf(task: Task, below: Below | null = null): string {
  const value = progressOf(task);
  const state = didNothing(task) ? "!" : (ENDED[task.status] ?? (value === null ? statusWord(task.status) : `${value} %`));
  return [state, failedShort(below), task.job_type].filter(Boolean).join(" · ");
}

/** Returns what screen readers announce of a run: its status and phase, not each percent. */
export function announcementOf(task: Task): string {
  const phase = task.status === "STARTED" && task.current_phase ? `, ${task.current_phase}` : "";
  return `${task.job_type} ${taskWord(task)}${phase}`;
}
