import type { Below } from "../client/observed";
import { reasonOf } from "../client/outcome";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { etaOf, isLonger, isUsual } from "../state/estimate";
import { failureOf } from "../state/failure";
import { count } from "../state/format";
import { taskWord, toneOf } from "../state/marks";
import { duration, elapsed } from "../state/time";
import { StepsFact } from "./steps-fact";

/** Returns what a run says of itself now, or why it has failed. */
export const messageOf = (task: Task): string | null =>
  task.error ? reasonOf(task) && (failureOf(task)?.sentence ?? task.error.message) : task.current_phase_message;

interface Props {
  state: TaskState;
  below: Below | null;
  /** How many watch the run, where that is known. */
  viewers: number | null;
}

/** The state of a run in a few words: status, what failed below it, time, and how many watch it. */
export function Facts({ state, below, viewers }: Props) {
  const { task } = state;
  const now = tickingServerNow();
  const seconds = elapsed(task.started_at, task.finished_at, now);
  const over = isTerminal(task.status);
  const eta = etaOf(state, now);
  return (
    <span class="number facts">
      <strong class={`s-${toneOf(task.status)}`}>{taskWord(task)}</strong>
      {seconds !== null && ` ${over ? "after " : ""}${duration(seconds)}`}
      <StepsFact state={state} below={below} />
      {eta !== null ? ` · ETA ${duration(eta)}` : isLonger(state, now) && " · longer than usual"}
      {isUsual(task.usual) && ` · usually ${duration(task.usual.seconds)} (p95 ${duration(task.usual.p95_seconds)})`}
      {task.retry_count > 0 && ` · retry ${task.retry_count}`}
      {viewers !== null && ` · ${count(viewers)} watching`}
    </span>
  );
}
