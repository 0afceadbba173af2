import { useEffect, useMemo, useState } from "preact/hooks";
import { serverNow } from "../client/serverClock";
import { isTerminal, type Approval, type Task, type TaskState } from "../client/types";
import { api, now } from "../state/app";
import { etaOf, progressOf } from "../state/estimate";
import { Viewers } from "../state/viewers";
import { Actions } from "./actions";
import { ApprovalBand, CallTrouble, StepBand } from "./approval";
import { useCall } from "./use-call";
import { Copy } from "./copy";
import { count, duration, elapsed, namedBy, shortId } from "../state/format";
import { Bar, percentage, stateOf, stateWord, TaskMark } from "./marks";
import { Link } from "./parts";

/** More would push the page away; the children tab has them all. */
const MOST_BANDS = 3;

interface Props {
  state: TaskState;
  approval: Approval | null;
  /** Those that the run is made of. */
  steps: readonly Task[];
  /** Whether the task's events are heard now: then this page is itself one that watches. */
  joined: boolean;
}

/** Is it alive, how far is it, what needs me. */
export function Head({ state, approval, steps, joined }: Props) {
  const { task } = state;
  const call = useCall();
  const watching = useWatching(task, joined);
  const value = progressOf(task);
  const asked = task.status === "WAITING" ? approval : null;
  return (
    <header class="head">
      <div class="head-line">
        <TaskMark status={task.status} />
        <h1>
          {task.job_type}
          {namedBy(task) && <span class="title">{task.title}</span>}
        </h1>
        <Copy class="id plain" text={task.task_id} label={`Copy the id ${task.task_id}`}>
          <code>{shortId(task.task_id)}</code>
        </Copy>
        <Facts state={state} watching={watching} />
        <Actions task={task} approval={asked} call={call} />
      </div>
      {asked && <ApprovalBand task={task} approval={asked} call={call} />}
      {steps
        .filter(({ status }) => status === "WAITING")
        .slice(0, MOST_BANDS)
        .map((step) => (
          <StepBand key={step.task_id} step={step} />
        ))}
      {call.problem && <CallTrouble taskId={task.task_id} problem={call.problem} />}
      <div class="head-bar">
        <Bar value={value} state={stateOf(task.status)} label="Overall progress" />
        <span class="number">{percentage(value)}</span>
      </div>
      <p class="now">
        {task.parent_id && <Parent taskId={task.parent_id} />}
        <span class={task.status === "FAILURE" ? "s-fail" : undefined}>{lastWord(task)}</span>
      </p>
    </header>
  );
}

function lastWord({ status, error, current_phase_message }: Task): string | null {
  if (!error) return current_phase_message;
  // Of a cancel the state says the type already.
  return status === "REVOKED" ? error.message : `${error.type}: ${error.message}`;
}

function Facts({ state, watching }: { state: TaskState; watching: number | null }) {
  const { task } = state;
  const at = (now.value, serverNow());
  const seconds = elapsed(task.started_at, task.finished_at, at);
  const over = isTerminal(task.status);
  const eta = etaOf(state, at);
  return (
    <span class="number facts">
      <strong class={`s-${stateOf(task.status)}`}>{stateWord(task.status)}</strong>
      {seconds !== null && ` ${over ? "after " : ""}${duration(seconds)}`}
      {eta !== null && ` · ETA ${duration(eta)}`}
      {task.retry_count > 0 && ` · retry ${task.retry_count}`}
      {watching !== null && ` · ${count(watching)} watching`}
    </span>
  );
}

function useWatching(task: Task, joined: boolean): number | null {
  const over = isTerminal(task.status);
  const viewers = useMemo(() => (over ? null : new Viewers(task.task_id, api)), [task.task_id, over]);
  useEffect(() => () => viewers?.stop(), [viewers]);
  useEffect(() => {
    if (joined) void viewers?.ask();
  }, [viewers, joined]);
  return viewers?.count.value ?? null;
}

function Parent({ taskId }: { taskId: string }) {
  const [title, setTitle] = useState(shortId(taskId));
  useEffect(() => {
    let stale = false;
    api.snapshot(taskId).then(
      ({ task }) => stale || setTitle(namedBy(task) ? task.title : `${task.job_type} ${shortId(taskId)}`),
      () => undefined, // the link works without a title
    );
    return () => void (stale = true);
  }, [taskId]);
  return (
    <span class="parent">
      part of <Link to={`/runs/${encodeURIComponent(taskId)}`}>{title}</Link>
    </span>
  );
}
