import { useEffect, useMemo, useState } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { Task } from "../client/types";
import { api, connection, currentUser } from "../state/app";
import { ChildTasks } from "../state/children";
import { tickingServerNow } from "../state/clock";
import { progressOf } from "../state/estimate";
import { hasTitle, percentText, shortId } from "../state/format";
import { taskWord, toneOf } from "../state/marks";
import { runAddress } from "../state/routes";
import { duration, elapsed } from "../state/time";
import { Chevron } from "./chevron";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import { ProgressBar } from "./progress-bar";

/** In a list of no more than so many, what is below them is shown without being asked for. */
const FEW = 8;
/** Levels that open by themselves: the body of a chord is below one of the members of its group. */
const OPEN_LEVELS = 4;

interface Props {
  tasks: readonly Task[];
  problem: Problem | null;
  /** 1 of the children of the run, 2 of theirs. */
  level?: number;
}

/** The children of a run, in the order in which they were created, and below each of them its own. */
export const Children = ({ tasks, problem, level = 1 }: Props) => (
  <>
    {problem && <ProblemMessage problem={problem}> What is shown is what was last known.</ProblemMessage>}
    {!problem && tasks.length === 0 && level === 1 && <p class="hint panel">None has begun.</p>}
    <ol class="children">
      {tasks.map((task) => (
        <Item key={task.task_id} task={task} level={level} opens={tasks.length <= FEW && level < OPEN_LEVELS} />
      ))}
    </ol>
  </>
);

function Item({ task, level, opens }: { task: Task; level: number; opens: boolean }) {
  const [open, setOpen] = useState(opens);
  const below = useBelow(task, open);
  const none = below?.loaded.value && below.tasks.value.length === 0 && !below.problem.value;
  return (
    <li>
      <div class="child-row">
        <button
          type="button"
          aria-label={`Children of ${nameOf(task)}`}
          aria-expanded={open}
          style={none ? { visibility: "hidden" } : undefined}
          onClick={() => setOpen(!open)}
        >
          <Chevron open={open} />
        </button>
        <Child task={task} />
      </div>
      {open && below && !none && <Children tasks={below.tasks.value} problem={below.problem.value} level={level + 1} />}
    </li>
  );
}

/** Returns the children of a task once they are asked for. They are live by the user's own stream, without rooms. */
function useBelow(task: Task, wanted: boolean): ChildTasks | null {
  const below = useMemo(() => (wanted ? new ChildTasks(task.task_id, api, connection, 0) : null), [task.task_id, wanted]);
  const own = String(currentUser.value?.id ?? "") === task.user_id;
  useEffect(() => void below?.load(own ? "own" : "tenant"), [below, own, task.status]);
  useEffect(() => () => below?.stop(), [below]);
  return below;
}

const nameOf = (task: Task): string => (hasTitle(task) ? task.title : task.job_type);

function Child({ task }: { task: Task }) {
  const seconds = elapsed(task.started_at, task.finished_at, tickingServerNow());
  const value = progressOf(task);
  return (
    <Link to={runAddress(task.task_id)} class="child">
      <TaskMark status={task.status} word={taskWord(task)} />
      <span class="child-title" title={nameOf(task)}>
        {nameOf(task)}
      </span>
      <span class="type">{hasTitle(task) && task.job_type}</span>
      <code>{shortId(task.task_id)}</code>
      <span class="run-text">{task.error?.message ?? task.current_phase_message ?? taskWord(task)}</span>
      <ProgressBar value={value} tone={toneOf(task.status)} label={`Progress of ${nameOf(task)}`} />
      <span class="number">{percentText(value)}</span>
      <span class="number">{seconds === null ? "" : duration(seconds)}</span>
    </Link>
  );
}
