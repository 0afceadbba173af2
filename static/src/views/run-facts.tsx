import { reasonOf } from "../client/outcome";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { etaOf, isLonger, isUsual } from "../state/estimate";
import { count } from "../state/format";
import { taskWord, toneOf } from "../state/marks";
import { duration, elapsed } from "../state/time";

/** Returns what a run says of itself now, or why it has failed. */
export const messageOf = (task: Task): string | null => (task.error ? reasonOf(task) : task.current_phase_message);

/** The state of a run in a few words: status, time, and how many watch it where that is known. */
export function Facts({ state, viewers }: { state: TaskState; viewers: number | null }) {
  const { task } = state;
  const now = tickingServerNow();
  const seconds = elapsed(task.started_at, task.finished_at, now);
  const over = isTerminal(task.status);
  const eta = etaOf(state, now);
  return (
    <span class="number facts">
      <strong class={`s-${toneOf(task.status)}`}>{taskWord(task)}</strong>
      {seconds !== null && ` ${over ? "after " : ""}${duration(seconds)}`}
      {eta !== null ? ` · ETA ${duration(eta)}` : isLonger(state, now) && " · longer than usual"}
      {isUsual(task.usual) && ` · usually ${duration(task.usual.seconds)} (p95 ${duration(task.usual.p95_seconds)})`}
      {task.retry_count > 0 && ` · retry ${task.retry_count}`}
      {viewers !== null && ` · ${count(viewers)} watching`}
    </span>
  );
}
