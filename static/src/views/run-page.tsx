import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { address, hash } from "../state/address";
import { api, connection, currentUser, link } from "../state/app";
import { ChildTasks } from "../state/children";
import { stoppedAt } from "../state/clock";
import { count } from "../state/format";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { useShortcuts } from "../state/keys";
import { pageProgress } from "../state/link-label";
import { declaredOutputs } from "../state/outputs";
import { declaredPhases, ORCHESTRATE, phaseRows, stepTitles } from "../state/phases";
import { Run } from "../state/run";
import { narrow } from "../state/screen";
import { masked } from "../state/secrets";
import { paramsOf } from "../state/url";
import "../style/run.css";
import "../style/head.css";
import "../style/phases.css";
import "../style/timeline.css";
import "../style/panels.css";
import "../style/log.css";
import "../style/log-menu.css";
import "../style/lines.css";
import "../style/ansi.css";
import { Audit } from "./audit";
import { Children } from "./children";
import { EarlierRuns } from "./earlier-runs";
import { Head } from "./head";
import { Outputs } from "./outputs";
import { Log } from "./log";
import { choosePhase, usePhaseKeys } from "./phase-keys";
import { NotFound } from "./not-found";
import { NotLoaded } from "./not-loaded";
import { Phases } from "./phases";
import { Value } from "./result";
import { Shell } from "./shell";
import { RunSkeleton } from "./skeleton";
import { useLoaded } from "./use-loaded";
import { useTabTitle } from "./tab-title";
import { Tabs, type Tab } from "./tabs";
import { Timeline, useTimeline } from "./timeline";

/** How often children of the run of somebody else are loaded again, while some of them are open. */
const OTHERS_MS = 10_000;

/** The page of one run; another run is another page. */
export function RunPage({ id }: { id: string }) {
  const run = useMemo(() => new Run(id, api, connection), [id]);
  useEffect(() => () => run.stop(), [run]);
  const progress = run.progress.value;
  useEffect(() => {
    pageProgress.value = progress;
    return () => void (pageProgress.value = null);
  }, [progress]);
  const state = run.state.value;

  if (progress.kind === "refused") return <Missing problem={progress.problem} />;
  const problem = progress.kind === "loading" ? progress.problem : undefined;
  return (
    <Shell>
      {state ? <Loaded run={run} state={state} /> : problem ? <NotLoaded problem={problem} /> : <RunSkeleton />}
    </Shell>
  );
}

function Loaded({ run, state }: { run: Run; state: TaskState }) {
  const { task } = state;
  const progress = run.progress.value;
  const live = link.value.kind === "live" && progress.kind === "current" && stoppedAt.value === null;
  const polled = link.value.kind === "polling" && stoppedAt.value === null;
  const stale = progress.kind !== "ended" && !polled && !live;
  const children = useChildren(state);
  const tasks = children.tasks.value;
  const below = children.below.value;
  useEffect(() => void loadJobTypes(), []);
  const types = jobTypes.value;
  const rows = useMemo(() => phaseRows(state, declaredPhases(state.task, types)), [state, types]);
  useTabTitle(state, rows);
  const chosen = paramsOf(address.value).get("phase");
  useShortcuts("Run", usePhaseKeys(rows, chosen));
  const files = useLoaded(() => api.outputs(task.task_id), [task.task_id, run.outputs.value]) ?? [];
  const declared = declaredOutputs(task, types);
  const over = isTerminal(task.status);
  const runs = useLoaded(() => api.earlier(task.task_id), [task.task_id, over]);
  const more = { files: files.length, expected: Object.keys(declared).length, earlier: narrow.value && (runs?.length ?? 0) > 1 };
  const tabs = tabsOf(task, tasks.length, below?.failed ?? 0, more);
  const tab = tabs.find(({ id }) => id === hash.value)?.id ?? "log";
  const { throughput, axis } = useTimeline(state, rows, live);
  const names = useMemo(() => stepTitles(tasks), [tasks]);
  return (
    <main class={stale ? "run-page stale" : "run-page"}>
      <Head {...{ state, rows, below }} approval={run.approval.value} steps={tasks} joined={live} choose={choosePhase} />
      <aside class="side">
        <Phases {...{ state, rows, axis, names, chosen }} choose={choosePhase}>
          <Timeline throughput={throughput} axis={axis} />
        </Phases>
        {!narrow.value && <EarlierRuns task={task} runs={runs} />}
      </aside>
      <section class="panels">
        <Tabs tabs={tabs} chosen={tab} />
        <Panel tab={tab} run={run} task={task} childTasks={children}>
          {tab === "outputs" ? <Outputs task={task} files={files} declared={declared} /> : <EarlierRuns task={task} runs={runs} />}
        </Panel>
      </section>
    </main>
  );
}

interface PanelProps {
  tab: string;
  run: Run;
  task: Task;
  childTasks: ChildTasks;
  /** The panel of the outputs, or of the earlier runs. */
  children: ComponentChildren;
}

function Panel({ tab, run, task, childTasks, children }: PanelProps) {
  return (
    <div
      class={tab === "log" ? "tab-panel" : "tab-panel scrolls"}
      id="panel"
      role="tabpanel"
      aria-labelledby={`tab-${tab}`}
      tabIndex={tab === "log" ? undefined : 0}
    >
      {tab === "log" && <Log run={run} live={link.value.kind === "live"} />}
      {tab === "result" && <Value value={task.result} name="result" />}
      {(tab === "outputs" || tab === "earlier") && children}
      {tab === "children" && <Children tasks={childTasks.tasks.value} problem={childTasks.problem.value} />}
      {tab === "parameters" && <Value value={masked(task.params ?? {})} name="parameters" />}
      {tab === "audit" && <Audit task={task} />}
    </div>
  );
}

/** `expected`: outputs that the job says it saves; `earlier`: whether the earlier runs have a tab, for want of a side bar. */
interface MoreTabs {
  files: number;
  expected: number;
  earlier: boolean;
}

function tabsOf(task: Task, children: number, failed: number, { files, expected, earlier }: MoreTabs): Tab[] {
  const failures = failed ? ` · ${count(failed)} failed` : "";
  const tabs: [id: string, name: string, shown: boolean][] = [
    ["log", "Log", true],
    ["result", "Result", task.result !== null && task.result !== undefined],
    ["outputs", `Outputs ${files}`, files + expected > 0],
    ["children", `Children ${children}${failures}`, children > 0 || task.job_type === ORCHESTRATE],
    ["parameters", "Parameters", true],
    ["earlier", "Earlier runs", earlier],
    ["audit", "Audit", true],
  ];
  return tabs.filter(([, , shown]) => shown).map(([id, name]) => ({ id, name }));
}

function useChildren({ task, phases }: TaskState): ChildTasks {
  const children = useMemo(() => new ChildTasks(task.task_id, api, connection), [task.task_id]);
  useEffect(() => () => children.stop(), [children]);
  // Each phase of such a task is a child, so a changed phase means changed children.
  const steps = task.job_type === ORCHESTRATE ? phases.map(({ status, message }) => status + message).join() : "";
  const own = String(currentUser.value?.id ?? null) === task.user_id;
  useEffect(() => void children.load(own ? "own" : "tenant"), [children, steps, own, task.status]);
  // The stream of a user does not tell of the tasks of others.
  const asks = !own && (children.below.value?.open !== 0 || !isTerminal(task.status));
  useEffect(() => {
    if (!asks) return undefined;
    const timer = setInterval(() => void children.load("tenant"), OTHERS_MS);
    return () => clearInterval(timer);
  }, [children, asks]);
  return children;
}

const Missing = ({ problem }: { problem: Problem }) =>
  problem.status === 404 ? (
    <NotFound what="run">It may belong to somebody else, or it is older than what is kept.</NotFound>
  ) : (
    <NotFound heading="This run cannot be shown">{problem.detail || problem.title}</NotFound>
  );
