import { useEffect, useMemo, useState } from "preact/hooks";
import { Problem, serverNow } from "../client/http";
import { isTerminal, type Task } from "../client/types";
import { api, connection, go, link, now } from "../state/app";
import { pageProgress } from "../state/link";
import { Run } from "../state/run";
import { duration, elapsed, namedBy, percent, pretty, shortId } from "./format";
import { Log } from "./log";
import { Bar, stateOf, stateWord, TaskMark } from "./marks";
import { Action, Link, Shell } from "./parts";
import { Phases } from "./phases";
import { Trouble } from "./trouble";

/** `/runs/<id>`. Keyed by the id: another run is another page. */
export function RunPage({ taskId }: { taskId: string }) {
  const run = useMemo(() => new Run(taskId, api, connection), [taskId]);
  useEffect(() => () => run.stop(), [run]);
  const progress = run.progress.value;
  useEffect(() => {
    pageProgress.value = progress;
    return () => {
      pageProgress.value = null;
    };
  }, [progress]);
  const state = run.state.value;
  useTitle(state?.task ?? null);

  if (progress.kind === "refused") return <Missing problem={progress.problem} />;
  if (!state) {
    return (
      <Shell>
        <main class="page late">Loading this run.</main>
      </Shell>
    );
  }
  const stale = progress.kind !== "ended" && (link.value.kind !== "live" || progress.kind !== "current");
  return (
    <Shell>
      <main class={stale ? "run-page stale" : "run-page"}>
        <Head task={state.task} />
        <Phases state={state} />
        <Panels run={run} task={state.task} />
      </main>
    </Shell>
  );
}

function useTitle(task: Task | null): void {
  const mark = { SUCCESS: "✓", FAILURE: "✕", REVOKED: "✕" }[task?.status as string];
  const title = task ? `${mark ?? `${percent(task.progress)} %`} · ${task.job_type}` : "Taskroom";
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function Head({ task }: { task: Task }) {
  const seconds = elapsed(task.started_at, task.finished_at, (now.value, serverNow()));
  const over = isTerminal(task.status);
  const value = percent(task.progress);
  return (
    <header class="head">
      <div class="head-line">
        <TaskMark status={task.status} />
        <h1>{task.job_type}</h1>
        <code title={task.task_id}>{shortId(task.task_id)}</code>
        <span class="number facts">
          {stateWord(task.status)}
          {seconds !== null && ` ${over ? "after " : ""}${duration(seconds)}`}
          {!over && task.eta_seconds !== null && ` · ETA ${duration(task.eta_seconds)}`}
          {task.retry_count > 0 && ` · retry ${task.retry_count}`}
        </span>
        <span class="actions">
          {over ? (
            <Action
              name="Run again"
              run={() => api.retry(task.task_id).then(({ task_id }) => go(`/runs/${task_id}`))}
            />
          ) : (
            <Action name="Cancel" run={() => api.cancel(task.task_id)} />
          )}
        </span>
      </div>
      <div class="head-bar">
        <Bar value={value} state={stateOf(task.status)} label="Overall progress" />
        <span class="number">{value} %</span>
      </div>
      <p class="now">
        {namedBy(task) && <strong>{task.title}</strong>}
        {task.error ? (
          <span class="s-fail">
            {task.error.type}: {task.error.message}
          </span>
        ) : (
          task.current_phase_message
        )}
      </p>
    </header>
  );
}

type Tab = "Log" | "Result" | "Error" | "Parameters";

function Panels({ run, task }: { run: Run; task: Task }) {
  const [chosen, choose] = useState<Tab>("Log");
  const tabs: Tab[] = ["Log"];
  if (task.result !== null && task.result !== undefined) tabs.push("Result");
  if (task.error) tabs.push("Error");
  tabs.push("Parameters");
  const tab = tabs.includes(chosen) ? chosen : "Log";
  return (
    <section class="panels">
      <div class="tabs" role="tablist">
        {tabs.map((name) => (
          <button type="button" role="tab" key={name} aria-selected={name === tab} onClick={() => choose(name)}>
            {name}
          </button>
        ))}
      </div>
      {tab === "Log" && <Log run={run} version={run.logVersion.value} />}
      {tab === "Result" && <pre class="panel">{pretty(task.result)}</pre>}
      {tab === "Error" && task.error && (
        <pre class="panel">{task.error.traceback || `${task.error.type}: ${task.error.message}`}</pre>
      )}
      {tab === "Parameters" && <Parameters task={task} />}
    </section>
  );
}

function Parameters({ task }: { task: Task }) {
  const facts: [string, string | null][] = [
    ["task", task.task_id],
    ["trigger", task.trigger],
    ["created", task.created_at],
    ["started", task.started_at],
    ["finished", task.finished_at],
    ["worker", task.worker],
    ["attempt", String(task.attempt)],
  ];
  return (
    <div class="panel">
      <pre>{pretty(task.params ?? {})}</pre>
      <dl>
        {facts.map(([name, value]) => value && [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
        {task.retry_of && (
          <>
            <dt>retry of</dt>
            <dd>
              <Link to={`/runs/${encodeURIComponent(task.retry_of)}`}>{task.retry_of}</Link>
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}

function Missing({ problem }: { problem: Problem }) {
  return (
    <Shell>
      <main class="page">
        <Trouble problem={problem}>
          {" "}
          <Link to="/">All runs</Link>
        </Trouble>
      </main>
    </Shell>
  );
}
