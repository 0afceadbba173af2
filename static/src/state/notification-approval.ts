import type { Notification } from "../client/types";

/** What a notification asks to be decided. */
export interface Question {
  taskId: string;
  title: string;
  risk: string;
  cost: number;
}

export const asksApproval = ({ notification_type }: Notification): boolean => notification_type === "approval_required";

/** Returns what the notification asks; null where nothing is to be decided. */
export function questionOf(item: Notification): Question | null {
  if (!asksApproval(item) || item.related_type !== "task" || !item.related_id) return null;
  const { title, risk_level, estimated_cost } = item.metadata ?? {};
  return {
    taskId: item.related_id,
    title: typeof title === "string" ? title : item.title,
    risk: typeof risk_level === "string" ? risk_level : "",
    cost: typeof estimated_cost === "number" ? estimated_cost : 0,
  };
}
