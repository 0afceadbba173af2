import { actOnMany, type BulkAction, type BulkTargets } from "../client/bulk";
import type { TaskFilter } from "../client/taskLists";
import { isTerminal, STATUSES, type Notification, type Status } from "../client/types";
import { session } from "./app";
import { toasts } from "./bell";
import { taskFilterOf, type RunFilter } from "./filter";
import { count, quantity } from "./format";
import { runAddress } from "./routes";

/** The newest of a filter, beyond which nothing is done. */
export const MOST_MATCHING = 10_000;

/** What is done, in the words of a button. */
export const WORDS: Record<BulkAction, { name: string; doing: string; about: string }> = {
  cancel: {
    name: "Cancel",
    doing: "Cancelling",
    about:
      "Those that wait end at once, running ones at their next report. What has ended stays as it is. " +
      "A short task of Celery may still run when its worker was away: it begins before the worker hears of the cancel.",
  },
  retry: {
    name: "Retry",
    doing: "Starting again",
    about:
      "Each that has ended is started again with its parameters; of a run and its retries the newest is. What has not ended stays as it is.",
  },
};

/** How many runs of each status are meant. */
export type Meant = Partial<Record<Status, number>>;

const LIST = new Intl.ListFormat("en-GB");

/** Says how many of the runs that are meant are in which state, as far as it matters: "652 cancelled, 54 failed and 74 that
 * succeeded". */
export function meantText(action: BulkAction, meant: Meant): string {
  const open = STATUSES.filter((status) => !isTerminal(status)).reduce((sum, status) => sum + (meant[status] ?? 0), 0);
  const { REVOKED = 0, FAILURE = 0, SUCCESS = 0 } = meant;
  const parts: readonly (readonly [number, string])[] =
    action === "cancel"
      ? [
          [open, "that have not ended"],
          [REVOKED + FAILURE + SUCCESS, "that have ended"],
        ]
      : [
          [REVOKED, "cancelled"],
          [FAILURE, "failed"],
          [open, "that have not ended"],
          [SUCCESS, "that succeeded"],
        ];
  return LIST.format(parts.filter(([number]) => number > 0).map(([number, words]) => `${count(number)} ${words}`));
}

/** Returns the runs that are meant: those with the ids, or all that match the filter. `succeeded`: a retry by the filter is also of
 * runs that succeeded. */
export function targetsOf(ids: readonly string[], all: boolean, filter: RunFilter, succeeded = false): BulkTargets {
  if (!all) return { ids };
  const given = Object.entries(taskFilterOf(filter)).filter(([, value]) => value !== undefined && value !== "");
  return { filter: Object.fromEntries(given) as TaskFilter, ...(succeeded && { succeeded }) };
}

/** Starts a bulk action, and says so with a link to its run. `key`: the same starts it once. Throws Problem. */
export async function act(action: BulkAction, targets: BulkTargets, number: number, key: string): Promise<void> {
  const { task_id } = await actOnMany(session, action, targets, key);
  toasts.add(started(task_id, `${WORDS[action].doing} ${quantity(number, "run")}`));
}

/** A toast that is no notification of the server: the bell does not keep it. */
const started = (taskId: string, title: string): Notification => ({
  id: `bulk ${taskId}`,
  sequence: 0,
  notification_type: "bulk",
  severity: "success",
  title,
  message: "Its run says what becomes of each.",
  related_type: "task",
  related_id: taskId,
  action_url: runAddress(taskId),
  urgent: false,
  read: true,
  created_at: "",
});
