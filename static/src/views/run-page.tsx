import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { address, hash } from "../state/address";
import { api, connection, currentUser, link } from "../state/app";
import { chooseStep, chosenStep, forgetStep, TREE_HASH } from "../state/chosen-step";
import { stoppedAt } from "../state/clock";
import { hasTitle, shortId } from "../state/format";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { useShortcuts } from "../state/keys";
import { Lazy } from "../state/lazy";
import { pageProgress } from "../state/link-label";
import { isStale } from "../state/link-words";
import { declaredOutputs } from "../state/outputs";
import { declaredPhases, phaseRows, stepTitles, withSteps, type PhaseRow } from "../state/phases";
import { remember } from "../state/recent";
import { runAddress } from "../state/routes";
import { Run } from "../state/run";
import { isOfStep, tabOf, tabsOf } from "../state/run-tabs";
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
import { useAnswer, useLoaded } from "./use-loaded";
import { useTree } from "./use-tree";
import { useTabTitle } from "./tab-title";
import { Tabs } from "./tabs";
import { Timeline, useTimeline } from "./timeline";
import { TreeTab } from "./tree-tab";
import { useFailedStep } from "./use-failed-step";

/** Loaded when the first tree is shown. */
const treeCode = new Lazy(async () => (await import("./own-tree")).OwnTree);
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
  const stale = isStale(link.value, progress, stoppedAt.value !== null);
  const live = !stale && link.value.kind === "live" && progress.kind === "current";
  // The stream of a user does not tell of the tasks of others.
  useTree(tree, state, String(currentUser.value?.id ?? null) === task.user_id ? null : OTHERS_MS);
  const tasks = tree.tasks.value;
  const below = tree.below.value;
  useEffect(() => void loadJobTypes(), []);
  const types = jobTypes.value;
  useRemembered(task);
  const rows = useMemo(
    () => withSteps(phaseRows(state, declaredPhases(state.task, types)), tasks),
    [state, types, tasks],
  );
  useTabTitle(state, rows, below);
  const chosen = paramsOf(address.value).get("phase");
  const outputs = useAnswer(() => api.outputs(task.task_id), [task.task_id, run.outputs.value]);
  const declared = declaredOutputs(task, types);
  const over = isTerminal(task.status);
  const runs = useLoaded(() => api.earlier(task.task_id), [task.task_id, over]);
  const expected = Object.keys(declared).length > 0 || outputs.problem !== null;
  const tabs = tabsOf(task, tree, { files: outputs.value?.length ?? null, expected, earlier: narrow.value && (runs?.length ?? 0) > 1, audit: true });
  const step = chosenStep(address.value);
  const named = tabs.some(({ id }) => id === hash.value);
  const tab = tabOf(tabs, task, hash.value, step);
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
          {tab === "outputs" ? <Outputs task={task} outputs={outputs} declared={declared} /> : <EarlierRuns task={task} runs={runs} />}
        </Panel>
      </section>
    </main>
  );
}

/** The palette leads back to it. */
function useRemembered(task: Task): void {
  const user = currentUser.value?.id;
  useEffect(() => {
    const [name, about] = hasTitle(task) ? [task.title, task.job_type] : [task.job_type, shortId(task.task_id)];
    if (user !== undefined) remember(String(user), { to: runAddress(task.task_id), name, about });
  }, [user, task.task_id, task.title]);
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
      {tab === TREE_HASH && <TreeTab code={treeCode} props={{ state, tree, chosen: step, live: link.value.kind === "live" }} />}
      {tab === "parameters" && <Value value={masked(task.params ?? {})} name="parameters" />}
      {tab === "audit" && <Audit task={task} />}
    </div>
  );
}

const Missing = ({ problem }: { problem: Problem }) =>
  problem.status === 404 ? (
    <NotFound what="run">It may belong to somebody else, or it is older than what is kept.</NotFound>
  ) : (
    <NotFound heading="This run cannot be shown">{problem.detail || problem.title}</NotFound>
  );
