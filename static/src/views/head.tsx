import { useEffect, useMemo } from "preact/hooks";
import type { Below } from "../client/observed";
import { didNothing } from "../client/outcome";
import { isTerminal, type Approval, type Task, type TaskState } from "../client/types";
import { api } from "../state/app";
import { hasTitle, shortId } from "../state/format";
import { taskTone } from "../state/marks";
import type { PhaseRow } from "../state/phases";
import { runAddress } from "../state/routes";
import { Viewers } from "../state/viewers";
import { Actions } from "./actions";
import { AgainChips } from "./again-chips";
import { ApprovalBand, StepBand } from "./approval";
import { CallProblem } from "./call-problem";
import { Copy } from "./copy";
import { FailuresBelow } from "./failures-below";
import { Link } from "./link";
import { QueuedFact } from "./queued-fact";
import { RunBar } from "./run-bar";
import { Facts, Figures } from "./run-facts";
import { RunName } from "./run-name";
import { useCall } from "./use-call";
import { useLoaded } from "./use-loaded";
import { useProgress } from "./use-progress";

/** More would push the page away; the children tab has all. */
const MOST_BANDS = 3;

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  approval: Approval | null;
  /** The children of the run; null where its tree is shown, which says more of them. */
  steps: readonly Task[] | null;
  below: Below | null;
  /** Whether the task's events come live, so that this page counts as a viewer itself. */
  joined: boolean;
  /** Shows the log of a phase. */
  choose: (phaseId: string) => void;
}

/** The head of a run page: what it is, how far it is, and what needs a decision. */
export function Head({ state, rows, approval, steps, below, joined, choose }: Props) {
  const { task } = state;
  const call = useCall();
  const viewers = useViewerCount(task, joined);
  const value = useProgress(state);
  const asked = task.status === "WAITING" ? approval : null;
  return (
    <header class={`head spine s-${taskTone(task)}${didNothing(task) ? " nothing-done" : ""}`}>
      <div class="head-line">
        <RunName task={task}>
          <Copy class="id plain" text={task.task_id} label={`Copy the id ${task.task_id}`}>
            <code>{shortId(task.task_id)}</code>
          </Copy>
          {task.parent_id && <Parent taskId={task.parent_id} />}
          <AgainChips task={task} />
          <Facts state={state} below={below} viewers={viewers} />
          <QueuedFact task={task} />
        </RunName>
        <Figures state={state} value={value} />
        <Actions task={task} approval={asked} call={call} />
      </div>
      {asked && <ApprovalBand task={task} approval={asked} call={call} />}
      {steps
        ?.filter(({ status }) => status === "WAITING")
        .slice(0, MOST_BANDS)
        .map((step) => (
          <StepBand key={step.task_id} runId={task.task_id} step={step} />
        ))}
      {call.problem && <CallProblem taskId={task.task_id} problem={call.problem} />}
      <RunBar state={state} rows={rows} value={value} choose={choose} />
      {steps && <FailuresBelow runId={task.task_id} below={below} />}
    </header>
  );
}

function useViewerCount(task: Task, joined: boolean): number | null {
  const over = isTerminal(task.status);
  const viewers = useMemo(() => (over ? null : new Viewers(task.task_id, api)), [task.task_id, over]);
  useEffect(() => () => viewers?.stop(), [viewers]);
  useEffect(() => {
    if (joined) void viewers?.load();
  }, [viewers, joined]);
  return viewers?.count.value ?? null;
}

function Parent({ taskId }: { taskId: string }) {
  const task = useLoaded(() => api.snapshot(taskId), [taskId])?.task;
  const id = shortId(taskId);
  const name = !task ? id : hasTitle(task) ? task.title : `${task.job_type} ${id}`;
  return (
    <span class="parent">
      part of <Link to={runAddress(taskId)}>{name}</Link>
    </span>
  );
}
