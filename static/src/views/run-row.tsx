import type { Signal } from "@preact/signals";
import { serverNow } from "../client/serverClock";
import { isTerminal, type Task } from "../client/types";
import { now } from "../state/app";
import { plainText } from "../state/log-text";
import { progressOf } from "../state/estimate";
import { errorsOf, type Row } from "../state/rows";
import { count, duration, elapsed, namedBy, shortId } from "../state/format";
import { Bar, percentage, stateOf, stateWord, TaskMark } from "./marks";
import { Link } from "./parts";
import { Time } from "./time";

export const runAddress = (taskId: string): string => `/runs/${encodeURIComponent(taskId)}`;

/** One run of the list: the whole row is the link to it. */
export function RunRow({ row }: { row: Signal<Row> }) {
  const { task } = row.value;
  const errors = errorsOf(row.value);
  return (
    <Link to={runAddress(task.task_id)} class="row">
      <TaskMark status={task.status} />
      <span class="type">{task.job_type}</span>
      <code>{shortId(task.task_id)}</code>
      <span class="says">
        <Says task={task} />
      </span>
      <span class="number errors">{errors > 0 && `${count(errors)} ${errors === 1 ? "error" : "errors"}`}</span>
      <Progress task={task} />
      <span class="number took">
        <Took task={task} />
      </span>
      <Time at={task.created_at} class="when" />
    </Link>
  );
}

/** Of what succeeded there is nothing to add; of what failed, how far it came. */
function Progress({ task }: { task: Task }) {
  const shown = task.status !== "SUCCESS";
  const value = progressOf(task);
  return (
    <>
      <span class="meter">{shown && <Bar value={value} state={stateOf(task.status)} label="Progress" />}</span>
      <span class="number pct">{shown && percentage(value)}</span>
    </>
  );
}

/** What there is to say of a run, in one line. */
export function Says({ task }: { task: Task }) {
  const waits = task.status === "WAITING";
  const now = isTerminal(task.status) ? null : task.current_phase_message || task.current_phase;
  const text = task.error?.message || now || (waits ? "" : stateWord(task.status));
  return (
    <>
      {waits && <strong class="s-wait">approval needed</strong>} {namedBy(task) && <b>{task.title}</b>}{" "}
      {plainText(text)}
    </>
  );
}

/** How long it took, or takes so far. */
export function Took({ task }: { task: Task }) {
  const until = isTerminal(task.status) ? 0 : (now.value, serverNow());
  const seconds = elapsed(task.started_at, task.finished_at, until);
  return <>{seconds === null ? "" : duration(seconds)}</>;
}
