import type { Approval, TaskEvent, TaskState } from "../client/types";

/** Returns the approval that the task waits for after one more event; `state` is the state after it. */
export function approvalAfter(before: Approval | null, event: TaskEvent, state: TaskState): Approval | null {
  if (event.type === "approval_needed") {
    const { key, title, risk_level, estimated_cost } = event as unknown as Approval;
    return { key, title, risk_level, estimated_cost };
  }
  if (event.type === "approval_decided") return null;
  // The event comes before the task is WAITING; the approval ends when the task has another status.
  return event.type === "task_status" && state.task.status !== "WAITING" ? null : before;
}
