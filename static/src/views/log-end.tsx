import { isTerminal, type TaskState } from "../client/types";
import { failureOf } from "../state/failure";
import { taskWord } from "../state/marks";
import { clock, duration, elapsed } from "../state/time";
import { TaskMark } from "./marks";

/** The last row of the log of a run that has ended: how it ended, when, and after how long. */
export function LogEnd({ state }: { state: TaskState }) {
  const { task } = state;
  if (!isTerminal(task.status)) return null;
  const seconds = elapsed(task.started_at, task.finished_at, 0);
  const word = taskWord(task);
  const why = failureOf(task)?.sentence;
  return (
    <p class="log-end">
      <TaskMark status={task.status} word={word} />
      <span>
        <strong>{word.charAt(0).toUpperCase() + word.slice(1)}</strong>
        {seconds !== null && ` after ${duration(seconds)}`}
        {task.finished_at && ` at ${clock(task.finished_at)}`}
        {why && `: ${why}`}
      </span>
    </p>
  );
}
