import type { Access } from "./access";
import type { TaskFilter } from "./taskLists";

/** The job type of the runs that act on others; they are not started again. */
export const BULK = "bulk_action";

export type BulkAction = "cancel" | "retry";

/** Which runs: by their ids, or all that match a filter of the list; a retry leaves out those that `succeeded` unless it is said. */
export type BulkTargets = { ids: readonly string[] } | { filter: TaskFilter; succeeded?: true };

/** Cancels or retries many runs, in a run of its own, whose id it returns. The same key with the same body starts it once.
 * Throws Problem. */
export const actOnMany = (access: Access, action: BulkAction, targets: BulkTargets, key: string): Promise<{ task_id: string }> =>
  access.call("POST", "/api/v2/tasks/bulk", { action, ...targets }, { "Idempotency-Key": key });
