import type { Signal } from "@preact/signals";
import { didNothing } from "../client/outcome";
import { isTerminal, type Task } from "../client/types";
import { plainText } from "../client/terminalText";
import { failedOfRow } from "../state/below";
import { tickingServerNow } from "../state/clock";
import { progressOf } from "../state/estimate";
import { failureOf } from "../state/failure";
import { hasTitle, percentText } from "../state/format";
import { jobTypes } from "../state/jobs";
import { taskTone, taskWord } from "../state/marks";
import { needsApproval, rowSegments } from "../state/phase-bar";
import { shortName } from "../state/people";
import { runAddress } from "../state/routes";
import { errorsText, type Row } from "../state/rows";
import { Elapsed } from "./elapsed";
import { Link } from "./link";
import { TaskMark } from "./marks";
import { PhaseBar } from "./phase-bar";
import { Time } from "./time";

/** One run of the list: the whole row is the link to it. */
export function RunRow({ row }: { row: Signal<Row> }) {
  const { task } = row.value;
  return (
    <Link to={runAddress(task.task_id)} class={`row spine s-${needsApproval(task) ? "wait" : taskTone(task)}${didNothing(task) ? " nothing-done" : ""}`}>
      <TaskMark status={task.status} word={taskWord(task)} />
      <RowName task={task} />
      <span class="row-who" title={task.owner ?? undefined}>
        {shortName(task.owner)}
      </span>
      <span class="row-words">
        <span class="run-text">
          <RunText task={task} />
        </span>
        <span class="number errors">{errorsText(row.value)}</span>
      </span>
      <RowBar row={row.value} label="Progress" />
      <span class="number took">
        <Elapsed task={task} />
      </span>
      <Time at={task.created_at} as="minute" class="when" />
    </Link>
  );
}

/** The title of a run with its job type; the job type alone where it has no title of its own. */
export const RowName = ({ task }: { task: Task }) => (
  <span class="row-name">
    <bdi class="row-title" title={hasTitle(task) ? task.title : task.job_type}>
      {hasTitle(task) ? task.title : task.job_type}
    </bdi>
    {hasTitle(task) && (
      <span class="chip" title={task.job_type}>
        {task.job_type}
      </span>
    )}
  </span>
);

/** The bar of a run with its percentage; a run that has succeeded shows no number. */
export function RowBar({ row, label }: { row: Row; label: string }) {
  const { task } = row;
  const value = progressOf(task);
  const now = isTerminal(task.status) ? 0 : tickingServerNow();
  return (
    <>
      <span class="meter">
        <PhaseBar segments={rowSegments(row, jobTypes.value, now)} value={value} label={label} />
      </span>
      <span class="number pct">{!isTerminal(task.status) && value !== 0 && percentText(value)}</span>
    </>
  );
}

/** What a run says of itself: its error, its phase or what became of it, else its status. */
export function RunText({ task }: { task: Task }) {
  const waits = needsApproval(task);
  const phase = task.current_phase_message || (isTerminal(task.status) ? null : task.current_phase);
  const error = task.error && (failureOf(task)?.sentence ?? task.error.message);
  const text = error || phase || (task.status === "WAITING" ? "" : taskWord(task));
  const failed = failedOfRow(task);
  return (
    <>
      {waits && <strong class="s-wait">approval needed</strong>} <bdi class={didNothing(task) ? "s-wait" : undefined}>{plainText(text)}</bdi>
      {failed && <strong class="s-fail"> · {failed}</strong>}
    </>
  );
}
