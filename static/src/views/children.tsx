import type { Problem } from "../client/problem";
import { serverNow } from "../client/serverClock";
import type { Task } from "../client/types";
import { now } from "../state/app";
import { progressOf } from "../state/estimate";
import { duration, elapsed, shortId } from "../state/format";
import { Bar, percentage, stateOf, stateWord, TaskMark } from "./marks";
import { Link } from "./parts";
import { Trouble } from "./problem-message";

/** The runs that this one is made of, in the order in which they were made. */
export const Children = ({ tasks, problem }: { tasks: readonly Task[]; problem: Problem | null }) => (
  <>
    {problem && <Trouble problem={problem}> What is shown is what was last known.</Trouble>}
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
  const seconds = elapsed(task.started_at, task.finished_at, (now.value, serverNow()));
  const value = progressOf(task);
  return (
    <Link to={`/runs/${encodeURIComponent(task.task_id)}`} class="child">
      <TaskMark status={task.status} />
      <span class="child-title">{task.title}</span>
      <code>{shortId(task.task_id)}</code>
      <span class="says">{task.error?.message ?? task.current_phase_message ?? stateWord(task.status)}</span>
      <Bar value={value} state={stateOf(task.status)} label={`Progress of ${task.title}`} />
      <span class="number">{percentage(value)}</span>
      <span class="number">{seconds === null ? "" : duration(seconds)}</span>
    </Link>
  );
}
