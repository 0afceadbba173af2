import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { address, hash } from "../state/address";
import { api, connection, currentUser, link } from "../state/app";
import { chooseStep, chosenStep, forgetStep, TREE_HASH } from "../state/chosen-step";
import { stoppedAt } from "../state/clock";
import { count } from "../state/format";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { useShortcuts } from "../state/keys";
import { pageProgress } from "../state/link-label";
import { declaredOutputs } from "../state/outputs";
import { declaredPhases, ORCHESTRATE, phaseRows, stepTitles, withWaitingSteps, type PhaseRow } from "../state/phases";
import { Run } from "../state/run";
import { narrow } from "../state/screen";
import { masked } from "../state/secrets";
import { Tree } from "../state/tree";
import { paramsOf } from "../state/url";
import "../style/run.css";
import "../style/head.css";
import "../style/phases.css";
import "../style/timeline.css";
import "../style/panels.css";
import "../style/log.css";
import "../style/log-menu.css";
import "../style/lines.css";
import "../style/log-sections.css";
import "../style/log-small.css";
import "../style/ansi.css";
import { Audit } from "./audit";
import { EarlierRuns } from "./earlier-runs";
import { FailureBlock } from "./failure-block";
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
import { TreeTab } from "./tree-tab";
import { useFailedStep } from "./use-failed-step";

/** How often children of the run of somebody else are loaded again, while some of them are open. */
const OTHERS_MS = 10_000;
/** The log beside a tree is of another run. */
const NO_PHASES: readonly PhaseRow[] = [];

/** The page of one run; another run is another page. */
export function RunPage({ id }: { id: string }) {
  const run = useMemo(() => new Run(id, api, connection), [id]);
  useEffect(() => () => run.stop(), [run]);
  const progress = run.progress.value;
  useEffect(() => {
    pageProgress.value = progress;
    return () => void (pageProgress.value = null);
  }, [progress]);
  const tree = useMemo(() => new Tree(id, api, connection), [id]);
  useEffect(() => () => tree.stop(), [tree]);
  const state = run.state.value;

  if (progress.kind === "refused") return <Missing problem={progress.problem} />;
  const problem = progress.kind === "loading" ? progress.problem : undefined;
  return (
    <Shell>
      {state ? <Loaded run={run} state={state} tree={tree} /> : problem ? <NotLoaded problem={problem} /> : <RunSkeleton />}
    </Shell>
  );
}

function Loaded({ run, state, tree }: { run: Run; state: TaskState; tree: Tree }) {
  const { task } = state;
  const progress = run.progress.value;
  const live = link.value.kind === "live" && progress.kind === "current" && stoppedAt.value === null;
  const polled = link.value.kind === "polling" && stoppedAt.value === null;
  const stale = progress.kind !== "ended" && !polled && !live;
  useTree(tree, state);
  const tasks = tree.tasks.value;
  const below = tree.below.value;
  useEffect(() => void loadJobTypes(), []);
  const types = jobTypes.value;
  const rows = useMemo(
    () => withWaitingSteps(phaseRows(state, declaredPhases(state.task, types)), tasks),
    [state, types, tasks],
  );
  useTabTitle(state, rows, below);
  const chosen = paramsOf(address.value).get("phase");
  const files = useLoaded(() => api.outputs(task.task_id), [task.task_id, run.outputs.value]) ?? [];
  const declared = declaredOutputs(task, types);
  const over = isTerminal(task.status);
  const runs = useLoaded(() => api.earlier(task.task_id), [task.task_id, over]);
  const more = { files: files.length, expected: Object.keys(declared).length, earlier: narrow.value && (runs?.length ?? 0) > 1 };
  const next = task.status !== "SUCCESS" && tree.ahead.value !== null;
  const tabs = tabsOf(task, next, tasks.length, tree.hasMore(task.task_id), below?.failed ?? 0, more);
  const step = chosenStep(address.value);
  const named = tabs.find(({ id }) => id === hash.value)?.id;
  const tab = named ?? (step || (isOnlyTree(task) && !hash.value) ? TREE_HASH : "log");
  const inTree = tab === TREE_HASH;
  useShortcuts("Run", usePhaseKeys(inTree ? NO_PHASES : rows, chosen));
  useEffect(() => {
    if (step && !inTree) forgetStep();
  }, [step, inTree]);
  useFailedStep(tree, state, inTree && !named && !step);
  const { throughput, axis } = useTimeline(state, rows, live);
  const names = useMemo(() => stepTitles(tasks), [tasks]);
  const choose = inTree ? (phaseId: string) => chooseStep(tree.stepOf(phaseId)) : choosePhase;
  return (
    <main class={`run-page${stale ? " stale" : ""}${inTree ? " with-tree" : ""}`}>
      <Head {...{ state, rows, below }} approval={run.approval.value} steps={inTree ? null : tasks} joined={live} choose={choose} />
      <aside class="side">
        <Phases {...{ state, rows, axis, names, chosen }} choose={choosePhase}>
          <Timeline throughput={throughput} axis={axis} />
        </Phases>
        {!narrow.value && <EarlierRuns task={task} runs={runs} />}
      </aside>
      <section class="panels">
        <Tabs tabs={tabs} chosen={tab} />
        <Panel tab={tab} run={run} state={state} tree={tree} step={step}>
          {tab === "outputs" ? <Outputs task={task} files={files} declared={declared} /> : <EarlierRuns task={task} runs={runs} />}
        </Panel>
      </section>
    </main>
  );
}

interface PanelProps {
  tab: string;
  run: Run;
  state: TaskState;
  tree: Tree;
  step: string | null;
  /** The panel of the outputs, or of the earlier runs. */
  children: ComponentChildren;
}

function Panel({ tab, run, state, tree, step, children }: PanelProps) {
  const { task } = state;
  const scrolls = tab !== "log" && tab !== TREE_HASH;
  return (
    <div
      class={scrolls ? "tab-panel scrolls" : "tab-panel"}
      id="panel"
      role="tabpanel"
      aria-labelledby={`tab-${tab}`}
      tabIndex={scrolls ? 0 : undefined}
    >
      {tab === "log" && <Log run={run} live={link.value.kind === "live"} />}
      {tab === "result" && <Value value={task.result} name="result" />}
      {(tab === "outputs" || tab === "earlier") && children}
      {tab === TREE_HASH && !isOfStep(task) && <FailureBlock state={state} view={null} load={run.load} linked />}
      {tab === TREE_HASH && <TreeTab state={state} tree={tree} chosen={step} live={link.value.kind === "live"} />}
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

/** `next`: whether it is known what comes after the run. */
function tabsOf(task: Task, next: boolean, children: number, more: boolean, failed: number, { files, expected, earlier }: MoreTabs): Tab[] {
  const failures = failed ? ` · ${count(failed)} failed` : "";
  const name = task.job_type === ORCHESTRATE ? "Steps" : "Tasks below";
  const tree = next && children === 0 ? "What follows" : `${name} ${count(children)}${more ? "+" : ""}${failures}`;
  const tabs: [id: string, name: string, shown: boolean][] = [
    ["log", "Log", true],
    ["result", "Result", task.result !== null && task.result !== undefined],
    ["outputs", `Outputs ${files}`, files + expected > 0],
    [TREE_HASH, tree, children > 0 || next || task.job_type === ORCHESTRATE],
    ["parameters", "Parameters", true],
    ["earlier", "Earlier runs", earlier],
    ["audit", "Audit", true],
  ];
  return tabs.filter(([, , shown]) => shown).map(([id, name]) => ({ id, name }));
}

/** Whether the tasks below a run are all that there is to see of it: it runs no code of its own. */
const isOnlyTree = ({ job_type, observed }: Task): boolean => job_type === ORCHESTRATE || (observed === true && job_type === "group");

/** Whether a run has failed by one of its steps, whose row and log say why. */
const isOfStep = ({ error }: Task): boolean => error?.type === "SubtaskFailed";

/** Keeps the first page of the tree up to date; its other pages load themselves. */
function useTree(tree: Tree, { task, phases }: TaskState): void {
  // Each phase of such a task is a child, so a changed phase means changed children.
  const steps = task.job_type === ORCHESTRATE ? phases.map(({ status, message }) => status + message).join() : "";
  useEffect(() => void tree.load(), [tree, steps, task.status]);
  // The stream of a user does not tell of the tasks of others.
  const own = String(currentUser.value?.id ?? null) === task.user_id;
  const asks = !own && (tree.below.value?.open !== 0 || !isTerminal(task.status));
  useEffect(() => {
    if (!asks) return undefined;
    const timer = setInterval(() => void tree.load(), OTHERS_MS);
    return () => clearInterval(timer);
  }, [tree, asks]);
}

const Missing = ({ problem }: { problem: Problem }) =>
  problem.status === 404 ? (
    <NotFound what="run">It may belong to somebody else, or it is older than what is kept.</NotFound>
  ) : (
    <NotFound heading="This run cannot be shown">{problem.detail || problem.title}</NotFound>
  );
