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
import { declaredPhases, ORCHESTRATE, phaseRows } from "../state/phases";
import { Run } from "../state/run";
import { narrow, wide } from "../state/screen";
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
import { Link } from "./link";
import { Log } from "./log";
import { choosePhase, usePhaseKeys } from "./phase-keys";
import { NotLoaded } from "./not-loaded";
import { Phases } from "./phases";
import { Value } from "./result";
import { Shell } from "./shell";
import { RunSkeleton } from "./skeleton";
import { useLoaded } from "./use-loaded";
import { useTabTitle } from "./tab-title";
import { Tabs, type Tab } from "./tabs";
import { Timeline } from "./timeline";

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
  useTabTitle(state?.task ?? null);

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
  const chosen = paramsOf(address.value).get("phase");
  useShortcuts("Run", usePhaseKeys(rows, chosen));
  const files = useLoaded(() => api.outputs(task.task_id), [task.task_id, run.outputs.value]) ?? [];
  const declared = declaredOutputs(task, types);
  const tabs = tabsOf(task, tasks.length, below?.failed ?? 0, [files.length, Object.keys(declared).length]);
  const tab = tabs.find(({ id }) => id === hash.value)?.id ?? "log";
  const over = isTerminal(task.status);
  const runs = useLoaded(() => api.earlier(task.task_id), [task.task_id, over]);
  const earlier = <EarlierRuns task={task} runs={runs} />;
  const timeline = <Timeline state={state} rows={rows} tasks={tasks} live={live} choose={choosePhase} />;
  return (
    <main class={stale ? "run-page stale" : "run-page"}>
      <Head state={state} approval={run.approval.value} steps={tasks} below={below} joined={live} />
      <aside class="side">
        <Phases state={state} rows={rows} chosen={chosen} choose={choosePhase} />
        {!narrow.value && earlier}
        {wide.value && tab !== "timeline" && (task.started_at || rows.some(({ phase }) => phase)) && (
          <section class="timeline" aria-label="Timeline">
            <h2>Timeline</h2>
            {timeline}
          </section>
        )}
      </aside>
      <section class="panels">
        <Tabs tabs={tabs} chosen={tab} />
        <Panel tab={tab} run={run} task={task} childTasks={children} timeline={narrow.value ? [earlier, timeline] : timeline}>
          <Outputs task={task} files={files} declared={declared} />
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
  timeline: ComponentChildren;
  /** The panel of the outputs. */
  children: ComponentChildren;
}

function Panel({ tab, run, task, childTasks, timeline, children }: PanelProps) {
  return (
    <div
      class={tab === "log" ? "tab-panel" : "tab-panel scrolls"}
      id="panel"
      role="tabpanel"
      aria-labelledby={`tab-${tab}`}
      tabIndex={tab === "log" ? undefined : 0}
    >
      {tab === "log" && <Log run={run} live={link.value.kind === "live"} />}
      {tab === "timeline" && <div class="panel timeline">{timeline}</div>}
      {tab === "result" && <Value value={task.result} name="result" />}
      {tab === "outputs" && children}
      {tab === "children" && <Children tasks={childTasks.tasks.value} problem={childTasks.problem.value} />}
      {tab === "parameters" && <Value value={task.params ?? {}} name="parameters" />}
      {tab === "audit" && <Audit task={task} />}
    </div>
  );
}

function tabsOf(task: Task, children: number, failed: number, [files, expected]: [number, number]): Tab[] {
  const failures = failed ? ` · ${count(failed)} failed` : "";
  const tabs: [id: string, name: string, shown: boolean][] = [
    ["log", "Log", true],
    ["timeline", "Timeline", true],
    ["result", "Result", task.result !== null && task.result !== undefined],
    ["outputs", `Outputs ${files}`, files + expected > 0],
    ["children", `Children ${children}${failures}`, children > 0 || task.job_type === ORCHESTRATE],
    ["parameters", "Parameters", true],
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

function Missing({ problem }: { problem: Problem }) {
  return (
    <Shell>
      <main class="page missing">
        <h1>{problem.status === 404 ? "There is no such run" : "This run cannot be shown"}</h1>
        <p>
          {problem.status === 404
            ? "It may belong to somebody else, or it is older than what is kept."
            : problem.detail || problem.title}
        </p>
        <Link to="/">All runs</Link>
      </main>
    </Shell>
  );
}
