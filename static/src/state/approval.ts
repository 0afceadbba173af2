import type { Approval, TaskEvent, TaskState } from "../client/types";

/** What the task waits for after one more event, and `state` as it is then. */
export function approvalAfter(before: Approval | null, event: TaskEvent, state: TaskState): Approval | null {
  if (event.type === "approval_needed") {
    const { key, title, risk_level, estimated_cost } = event as unknown as Approval;
    return { key, title, risk_level, estimated_cost };
  }
  if (event.type === "approval_decided") return null;
  // It is asked for in the breath before the task waits, and forgotten when it does so no longer.
  return event.type === "task_status" && state.task.status !== "WAITING" ? null : before;
}
