import type { Signal } from "@preact/signals";
import { isTerminal, type Task } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { progressOf } from "../state/estimate";
import { hasTitle, percentText, quantity, shortId } from "../state/format";
import { taskWord, toneOf } from "../state/marks";
import { runAddress } from "../state/routes";
import { errorsOf, type Row } from "../state/rows";
import { plainText } from "../client/terminalText";
import { duration, elapsed } from "../state/time";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { ProgressBar } from "./progress-bar";
import { Time } from "./time";

/** One run of the list: the whole row is the link to it. */
export function RunRow({ row }: { row: Signal<Row> }) {
  const { task } = row.value;
  const errors = errorsOf(row.value);
  return (
    <Link to={runAddress(task.task_id)} class="row">
      <TaskMark status={task.status} word={taskWord(task)} />
      <span class="type" title={task.job_type}>
        {task.job_type}
      </span>
      <code>{shortId(task.task_id)}</code>
      <span class="run-text">
        <RunText task={task} />
      </span>
      <span class="number errors">{errors > 0 && quantity(errors, "error")}</span>
      <Progress task={task} />
      <span class="number took">
        <Elapsed task={task} />
      </span>
      <Time at={task.created_at} class="when" />
    </Link>
  );
}

/** The progress of a run, also of one that has failed; a run that has succeeded shows none. */
function Progress({ task }: { task: Task }) {
  const shown = task.status !== "SUCCESS";
  const value = progressOf(task);
  return (
    <>
      <span class="meter">{shown && <ProgressBar value={value} tone={toneOf(task.status)} label="Progress" />}</span>
      <span class="number pct">{shown && percentText(value)}</span>
    </>
  );
}

/** A run in one line: its title, and its error, its phase or its status. */
export function RunText({ task }: { task: Task }) {
  const waits = task.status === "WAITING";
  const phase = isTerminal(task.status) ? null : task.current_phase_message || task.current_phase;
  const text = task.error?.message || phase || (waits ? "" : taskWord(task));
  return (
    <>
      {waits && <strong class="s-wait">approval needed</strong>} {hasTitle(task) && <b>{task.title}</b>}{" "}
      {plainText(text)}
    </>
  );
}

/** How long a run took, or has taken so far. */
export function Elapsed({ task }: { task: Task }) {
  const until = isTerminal(task.status) ? 0 : tickingServerNow();
  const seconds = elapsed(task.started_at, task.finished_at, until);
  return <>{seconds === null ? "" : duration(seconds)}</>;
}
