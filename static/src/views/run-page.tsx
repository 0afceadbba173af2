import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { Task, TaskState } from "../client/types";
import { announce } from "../state/announce";
import { address, api, connection, go, link, signedIn } from "../state/app";
import { Children as ChildTasks } from "../state/children";
import { colourOf } from "../state/colour";
import { hash } from "../state/hash";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { useShortcuts, type Shortcut } from "../state/keys";
import { pageProgress } from "../state/link-label";
import { markAddress, stateOf, stateWord } from "../state/marks";
import { declaredPhases, nextPhase, ORCHESTRATE, phaseRows, type PhaseRow } from "../state/phases";
import { Run } from "../state/run";
import { wide } from "../state/screen";
import { announcementOf, titleOf } from "../state/tab-title";
import { Audit } from "./audit";
import { Children } from "./children";
import { ErrorPanel } from "./error";
import { Head } from "./head";
import { Log } from "./log";
import { Link, Shell } from "./parts";
import { Phases } from "./phases";
import { Value } from "./result";
import { RunSkeleton } from "./skeleton";
import { Tabs, type Tab } from "./tabs";
import { Timeline } from "./timeline";

/** `/runs/<id>`. Keyed by the id: another run is another page. */
export function RunPage({ taskId }: { taskId: string }) {
  const run = useMemo(() => new Run(taskId, api, connection), [taskId]);
  useEffect(() => () => run.stop(), [run]);
  const progress = run.progress.value;
  useEffect(() => {
    pageProgress.value = progress;
    return () => void (pageProgress.value = null);
  }, [progress]);
  const state = run.state.value;
  useSigns(state?.task ?? null);

  if (progress.kind === "refused") return <Missing problem={progress.problem} />;
  return <Shell>{state ? <Loaded run={run} state={state} /> : <RunSkeleton />}</Shell>;
}

function Loaded({ run, state }: { run: Run; state: TaskState }) {
  const { task } = state;
  const progress = run.progress.value;
  const live = link.value.kind === "live" && progress.kind === "current";
  const stale = progress.kind !== "ended" && link.value.kind !== "polling" && !live;
  const children = useChildren(state);
  const tasks = children.tasks.value;
  useEffect(() => void loadJobTypes(), []);
  const types = jobTypes.value;
  const rows = useMemo(() => phaseRows(state, declaredPhases(state.task, types)), [state, types]);
  const chosen = chosenPhase();
  useShortcuts("Run", usePhaseKeys(rows, chosen));
  const tabs = tabsOf(task, tasks.length);
  const tab = tabs.find(({ id }) => id === hashNow())?.id ?? "log";
  const timeline = <Timeline state={state} rows={rows} tasks={tasks} live={live} choose={choosePhase} />;
  return (
    <main class={stale ? "run-page stale" : "run-page"}>
      <Head state={state} approval={run.approval.value} steps={tasks} joined={live} />
      <aside class="side">
        <Phases state={state} rows={rows} chosen={chosen} choose={choosePhase} />
        {wide.value && tab !== "timeline" && (task.started_at || rows.some(({ phase }) => phase)) && (
          <section class="timeline" aria-label="Timeline">
            <h2>Timeline</h2>
            {timeline}
          </section>
        )}
      </aside>
      <section class="panels">
        <Tabs tabs={tabs} chosen={tab} />
        <Panel tab={tab} run={run} task={task} childTasks={children} timeline={timeline} />
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
}

function Panel({ tab, run, task, childTasks, timeline }: PanelProps) {
  return (
    <div
      class={tab === "log" ? "tab-panel" : "tab-panel scrolls"}
      id="panel"
      role="tabpanel"
      aria-labelledby={`tab-${tab}`}
      tabIndex={tab === "log" ? undefined : 0}
    >
      {tab === "log" && <Log run={run} />}
      {tab === "timeline" && <div class="panel timeline">{timeline}</div>}
      {tab === "result" && <Value value={task.result} name="result" />}
      {tab === "error" && task.error && <ErrorPanel error={task.error} />}
      {tab === "children" && <Children tasks={childTasks.tasks.value} problem={childTasks.problem.value} />}
      {tab === "parameters" && <Value value={task.params ?? {}} name="parameters" />}
      {tab === "audit" && <Audit task={task} />}
    </div>
  );
}

function tabsOf(task: Task, children: number): Tab[] {
  const tabs: [string, string, boolean][] = [
    ["log", "Log", true],
    ["timeline", "Timeline", true],
    ["error", "Error", task.error !== null && (task.status !== "REVOKED" || Boolean(task.error.traceback))],
    ["result", "Result", task.result !== null && task.result !== undefined],
    ["children", `Children ${children}`, children > 0 || task.job_type === ORCHESTRATE],
    ["parameters", "Parameters", true],
    ["audit", "Audit", true],
  ];
  return tabs.filter(([, , there]) => there).map(([id, name]) => ({ id, name }));
}

/** What follows `#`, also after an address that was set without an event. */
const hashNow = (): string => (hash.value, address.value, location.hash.slice(1));

const chosenPhase = (): string | null => new URLSearchParams(address.value.split("?")[1] ?? "").get("phase");

/** Narrows the log to a phase, or widens it again; shows the log. */
function choosePhase(phaseId: string | null): void {
  const search = new URLSearchParams(location.search);
  if (phaseId === null) search.delete("phase");
  else search.set("phase", phaseId);
  go(location.pathname + (search.size ? `?${search}` : ""), true);
}

function usePhaseKeys(rows: readonly PhaseRow[], chosen: string | null): readonly Shortcut[] {
  const latest = useRef({ rows, chosen });
  latest.current = { rows, chosen };
  return useMemo(() => {
    const step = (by: 1 | -1) => (): void => {
      const to = nextPhase(latest.current.rows, latest.current.chosen, by);
      if (to === null) return;
      choosePhase(to);
      document.querySelector(`[data-phase=${CSS.escape(to)}]`)?.scrollIntoView({ block: "nearest" });
    };
    return [
      { keys: "]", says: "Next phase", run: step(1) },
      { keys: "[", says: "Previous phase", run: step(-1) },
    ];
  }, []);
}

function useChildren({ task, phases }: TaskState): ChildTasks {
  const children = useMemo(() => new ChildTasks(task.task_id, api, connection), [task.task_id]);
  useEffect(() => () => children.stop(), [children]);
  // Only such a task makes others, each a phase of it.
  const steps = task.job_type === ORCHESTRATE ? phases.map(({ status, message }) => status + message).join() : "";
  const user = signedIn.value.kind === "in" ? signedIn.value.user.id : null;
  useEffect(() => {
    void children.load(String(user) === task.user_id ? "own" : "tenant");
  }, [children, steps, user, task.user_id, task.status]);
  return children;
}

/** Title, icon and what is said aloud follow the run. */
function useSigns(task: Task | null): void {
  const title = task ? titleOf(task) : "Taskroom";
  useEffect(() => {
    document.title = title;
  }, [title]);
  const status = task?.status;
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!status || !icon) return;
    const before = icon.href;
    icon.href = markAddress(stateWord(status), colourOf(`var(--${stateOf(status)})`));
    return () => void (icon.href = before);
  }, [status]);
  const said = task ? announcementOf(task) : "";
  const first = useRef(true);
  useEffect(() => {
    // How it stood when the page was opened is read with the page.
    if (said && !first.current) announce(said);
    if (said) first.current = false;
  }, [said]);
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
