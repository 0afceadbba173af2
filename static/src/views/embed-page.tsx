import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { TaskState } from "../client/types";
import { address, hash } from "../state/address";
import { chooseStep, chosenStep, TREE_HASH } from "../state/chosen-step";
import { stoppedAt, tickingServerNow } from "../state/clock";
import { useShortcuts } from "../state/keys";
import { Lazy } from "../state/lazy";
import { isStale, labelOf } from "../state/link-words";
import { taskTone } from "../state/marks";
import { axisOf } from "../state/phase-axis";
import { declaredPhases, phaseRows, stepTitles, withSteps, type PhaseRow } from "../state/phases";
import { runAddress } from "../state/routes";
import { isOfStep, tabOf, tabsOf } from "../state/run-tabs";
import { masked } from "../state/secrets";
import { SharedRun } from "../state/shared-run";
import { paramsOf } from "../state/url";
import "../style/fonts.css";
import "../style/run.css";
import "../style/head.css";
import "../style/phases.css";
import "../style/log.css";
import "../style/log-menu.css";
import "../style/lines.css";
import "../style/log-sections.css";
import "../style/log-small.css";
import "../style/ansi.css";
import "../style/panels.css";
import "../style/embed.css";
import { FailureBlock } from "./failure-block";
import { FailuresBelow } from "./failures-below";
import { Log } from "./log";
import { choosePhase, usePhaseKeys } from "./phase-keys";
import { NotLoaded } from "./not-loaded";
import { Phases } from "./phases";
import { RunBar } from "./run-bar";
import { Facts, Figures } from "./run-facts";
import { RunName } from "./run-name";
import { Outputs } from "./outputs";
import { Value } from "./result";
import { RunSkeleton } from "./skeleton";
import { Tabs } from "./tabs";
import type { TreeHost } from "./tree-host";
import { TreeTab } from "./tree-tab";
import { useAnswer } from "./use-loaded";
import { useProgress } from "./use-progress";
import { useTree } from "./use-tree";

/** Loaded when the first tree is shown. */
const treeCode = new Lazy(async () => (await import("./tree-panel")).TreePanel);
/** How often the tasks below are asked for: many people may have the page open. */
const TREE_MS = 30_000;
/** Who has a share does not see what jobs declare. */
const NONE = {};
/** The log beside a tree is of another run. */
const NO_PHASES: readonly PhaseRow[] = [];

/** The page of one run for people who have a share token, alone or in a frame of another site. */
export function EmbedPage({ id, token }: { id: string; token: string }) {
  const shared = useMemo(() => new SharedRun(id, token), [id, token]);
  useEffect(() => () => shared.stop(), [shared]);
  const state = shared.run.state.value;
  const progress = shared.run.progress.value;
  useEffect(() => {
    if (state) document.title = `${state.task.title || state.task.job_type} · Taskroom`;
  }, [state?.task.title]);
  if (shared.over.value) return <Ended />;
  if (progress.kind === "refused") return <Refused problem={progress.problem} />;
  if (state) return <Shown shared={shared} state={state} />;
  if (progress.kind === "loading" && progress.problem) return <NotLoaded problem={progress.problem} />;
  return shared.link.value.kind === "reconnecting" ? <Unreachable /> : <RunSkeleton />;
}

function Shown({ shared, state }: { shared: SharedRun; state: TaskState }) {
  const { run, tree } = shared;
  const { task } = state;
  const link = shared.link.value;
  const progress = run.progress.value;
  useTree(tree, state, TREE_MS);
  const tasks = tree.tasks.value;
  const below = tree.below.value;
  const rows = useMemo(() => withSteps(phaseRows(state, declaredPhases(task, null)), tasks), [state, tasks]);
  const names = useMemo(() => stepTitles(tasks), [tasks]);
  const outputs = useAnswer(() => shared.api.outputs(task.task_id), [task.task_id, run.outputs.value]);
  const chosen = paramsOf(address.value).get("phase");
  const step = chosenStep(address.value);
  const tabs = tabsOf(task, tree, { files: outputs.value?.length ?? null, expected: outputs.problem !== null });
  const tab = tabOf(tabs, task, hash.value, step);
  const inTree = tab === TREE_HASH;
  useShortcuts("Run", usePhaseKeys(inTree ? NO_PHASES : rows, chosen));
  const over = progress.kind === "ended";
  const silent = stoppedAt.value !== null;
  const { mark, word, title } = labelOf(link, progress, silent);
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : tickingServerNow();
  const value = useProgress(state);
  const choose = inTree ? (phaseId: string) => chooseStep(tree.stepOf(phaseId)) : choosePhase;
  const host = useMemo((): TreeHost => ({ run: (id) => shared.watch(id), linked: false, Approval: null }), [shared]);
  const live = link.kind === "live";
  return (
    <main class={`run-page embed${isStale(link, progress, silent) ? " stale" : ""}${inTree ? " with-tree" : ""}`}>
      <header class={`head spine s-${taskTone(task)}`}>
        <div class="head-line">
          <RunName task={task}>
            <Facts state={state} below={below} viewers={null} />
            {!over && (
              <span class={`link ${mark}`} title={title}>
                <i class="dot" aria-hidden="true" />
                {word}
              </span>
            )}
          </RunName>
          <Figures state={state} value={value} />
          <a class="home" href={runAddress(task.task_id)} target="_blank" rel="noreferrer">
            Taskroom
          </a>
        </div>
        <RunBar state={state} rows={rows} value={value} choose={choose} />
        <FailuresBelow runId={null} below={below} />
      </header>
      <aside class="side">
        <Phases {...{ state, rows, chosen, names }} axis={axisOf(task, rows, at)} choose={choosePhase} />
      </aside>
      <section class="panels">
        <Tabs tabs={tabs} chosen={tab} replace />
        <div class={tab === "log" || inTree ? "tab-panel" : "tab-panel scrolls"} id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
          {tab === "log" && <Log run={run} live={live} embedded />}
          {tab === "result" && <Value value={task.result} name="result" />}
          {tab === "outputs" && <Outputs task={task} outputs={outputs} declared={NONE} load={(name) => shared.output(name)} />}
          {inTree && !isOfStep(task) && <FailureBlock state={state} view={null} load={run.load} linked={false} />}
          {inTree && <TreeTab code={treeCode} props={{ host, state, tree, chosen: step, live }} />}
          {tab === "parameters" && <Value value={masked(task.params ?? {})} name="parameters" />}
        </div>
      </section>
    </main>
  );
}

const Message = ({ heading, children }: { heading: string; children: ComponentChildren }) => (
  <main class="page">
    <div class="missing" role="alert">
      <h1>{heading}</h1>
      <p>{children}</p>
    </div>
  </main>
);

export const NoToken = () => (
  <Message heading="This link is not complete">Its last part, after the sign #, is missing. Copy the whole link again.</Message>
);

const Ended = () => (
  <Message heading="This link is no longer valid">It has expired or was revoked. Ask for a new one.</Message>
);

const Unreachable = () => <Message heading="The server does not answer">This page goes on trying.</Message>;

const Refused = ({ problem }: { problem: Problem }) =>
  problem.status === 404 ? (
    <Message heading="There is no such run">It is older than what is kept, or this link is for another run.</Message>
  ) : (
    <Message heading="This run cannot be shown">{problem.detail || problem.title}</Message>
  );
