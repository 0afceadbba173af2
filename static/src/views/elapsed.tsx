import { isTerminal, type Task } from "../client/types";
import { runningServerNow } from "../state/clock";
import { duration, elapsed } from "../state/time";

/** How long a run took, or has taken so far. */
export function Elapsed({ task }: { task: Task }) {
  const until = isTerminal(task.status) ? 0 : runningServerNow();
  const seconds = elapsed(task.started_at, task.finished_at, until);
  return <>{seconds === null ? "" : duration(seconds)}</>;
}
