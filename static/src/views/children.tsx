import type { Problem } from "../client/problem";
import type { Task } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { progressOf } from "../state/estimate";
import { percentText, shortId } from "../state/format";
import { statusWord, toneOf } from "../state/marks";
import { runAddress } from "../state/routes";
import { duration, elapsed } from "../state/time";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import { ProgressBar } from "./progress-bar";

/** The children of a run, in the order in which they were created. */
export const Children = ({ tasks, problem }: { tasks: readonly Task[]; problem: Problem | null }) => (
  <>
    {problem && <ProblemMessage problem={problem}> What is shown is what was last known.</ProblemMessage>}
    {!problem && tasks.length === 0 && <p class="hint panel">None has begun.</p>}
    <ol class="children">
      {tasks.map((task) => (
        <li key={task.task_id}>
          <Child task={task} />
        </li>
      ))}
    </ol>
  </>
);

function Child({ task }: { task: Task }) {
  const seconds = elapsed(task.started_at, task.finished_at, tickingServerNow());
  const value = progressOf(task);
  return (
    <Link to={runAddress(task.task_id)} class="child">
      <TaskMark status={task.status} />
      <span class="child-title">{task.title}</span>
      <code>{shortId(task.task_id)}</code>
      <span class="run-text">{task.error?.message ?? task.current_phase_message ?? statusWord(task.status)}</span>
      <ProgressBar value={value} tone={toneOf(task.status)} label={`Progress of ${task.title}`} />
      <span class="number">{percentText(value)}</span>
      <span class="number">{seconds === null ? "" : duration(seconds)}</span>
    </Link>
  );
}
