import type { ComponentChildren } from "preact";
import type { RelatedRun } from "../client/related";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { runningServerNow, tickingServerNow } from "../state/clock";
import { longerBy, secondsOfRun } from "../state/compare";
import { lastSuccess, secondsOf } from "../state/earlier";
import { hasTitle, shortId } from "../state/format";
import { taskTone, taskWord } from "../state/marks";
import { compareAddress, runAddress } from "../state/routes";
import { duration } from "../state/time";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { More } from "./more";
import { Time } from "./time";

interface Props {
  before: TaskState;
  after: TaskState;
  runs: readonly RelatedRun[];
}

/** Both runs side by side, the earlier one at the left, and what the difference in time is. */
export function CompareHead({ before, after, runs }: Props) {
  const over = isTerminal(before.task.status) && isTerminal(after.task.status);
  const now = over ? tickingServerNow() : runningServerNow();
  const [a, b] = [secondsOfRun(before, now), secondsOfRun(after, now)];
  return (
    <header class="compare-head">
      <h1>
        {after.task.job_type} <small class="number">{verdict(longerBy(a, b), a)}</small>
      </h1>
      <div class="compare-sides">
        <Side task={before.task} seconds={a} name="Compared with">
          <Others task={after.task} chosen={before.task.task_id} runs={runs} />
        </Side>
        <Side task={after.task} seconds={b} name="This run" />
      </div>
    </header>
  );
}

/** "took 4.1 s longer (+17 %)". */
function verdict(by: number | null, of: number | null): string {
  if (by === null || of === null) return "";
  if (Math.abs(by) < Math.max(0.05, of / 100)) return "took about as long";
  const share = of > 0 ? ` (${by > 0 ? "+" : "−"}${Math.round((100 * Math.abs(by)) / of)} %)` : "";
  return `took ${duration(Math.abs(by))} ${by > 0 ? "longer" : "less"}${share}`;
}

interface SideProps {
  task: Task;
  seconds: number | null;
  name: string;
  children?: ComponentChildren;
}

function Side({ task, seconds, name, children }: SideProps) {
  return (
    <section class={`compare-side s-${taskTone(task)}`} aria-label={name}>
      <p class="compare-name">
        {name}
        {children}
      </p>
      <p class="compare-run">
        <TaskMark status={task.status} word={taskWord(task)} />
        <Link to={runAddress(task.task_id)}>{hasTitle(task) ? task.title : shortId(task.task_id)}</Link>
      </p>
      <p class="compare-facts number">
        {taskWord(task)}
        {seconds !== null && ` after ${duration(seconds)}`} · <Time at={task.created_at} />
      </p>
    </section>
  );
}

/** The way to the other runs of the job. */
function Others({ task, chosen, runs }: { task: Task; chosen: string; runs: readonly RelatedRun[] }) {
  const others = runs.filter(({ task_id }) => task_id !== task.task_id);
  if (others.length < 2 && others[0]?.task_id === chosen) return null;
  return (
    <More label="Compare with another run" face="Another run" quiet>
      <Choices of={task.task_id} runs={runs} chosen={chosen} />
    </More>
  );
}

/** The last runs of the job of a run, the last success first. */
export function Choices({ of, runs, chosen }: { of: string; runs: readonly RelatedRun[]; chosen: string | null }) {
  const now = tickingServerNow();
  const success = lastSuccess(runs, of);
  const rest = runs.filter(({ task_id }) => task_id !== of && task_id !== success?.task_id);
  return (
    <>
      {(success ? [success, ...rest] : rest).map((run) => {
        const seconds = secondsOf(run, now);
        return (
          <Link key={run.task_id} to={compareAddress(of, run.task_id)} aria-current={run.task_id === chosen ? "page" : undefined}>
            <TaskMark status={run.status} /> <Time at={run.created_at} />
            <span class="number">{seconds === null ? "" : duration(seconds)}</span>
            {run === success && " last success"}
          </Link>
        );
      })}
    </>
  );
}
