import { useEffect, useMemo, useState } from "preact/hooks";
import { serverNow } from "../client/http";
import type { JobType, Status, Task } from "../client/types";
import { address, api, go, now } from "../state/app";
import { Runs } from "../state/runs";
import { duration, elapsed, moment, namedBy, percent, shortId } from "./format";
import { Bar, stateOf, stateWord, TaskMark } from "./marks";
import { Action, Link, Shell } from "./parts";
import { Start } from "./start";
import { Trouble } from "./trouble";

const STATUSES: Status[] = ["PENDING", "WAITING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"];

/** `/`: what runs, what ran, and how to start something. The filter is in the address. */
export function RunsPage() {
  const search = new URLSearchParams(address.value.split("?")[1] ?? "");
  const status = search.get("status") ?? "";
  const job = search.get("job_type") ?? "";
  const runs = useMemo(() => new Runs(api, { status, job_type: job }), [status, job]);
  const [starting, setStarting] = useState(false);
  useEffect(() => () => runs.stop(), [runs]);
  useEffect(() => {
    document.title = "Runs · Taskroom";
  }, []);

  const problem = runs.problem.value;
  const filter = (name: string, value: string): void => {
    const to = new URLSearchParams(search);
    if (value) to.set(name, value);
    else to.delete(name);
    go(to.size ? `/?${to}` : "/", true);
  };

  const tasks = runs.tasks.value;
  const types = runs.types.value;
  const active = runs.active.value;
  const none = tasks?.length === 0 && !status && !job;
  return (
    <Shell>
      <main class={problem ? "page stale" : "page"}>
        {problem && <Trouble problem={problem}> What is shown is what was last known.</Trouble>}
        {active && (
          <section class="active" aria-label="Active run">
            <Row task={active.task} />
          </section>
        )}
        <div class="tools">
          <h1>Runs</h1>
          {!none && <Filters {...{ status, job, types, filter }} />}
          {!none && types && (
            <button type="button" class="primary" aria-expanded={starting} onClick={() => setStarting(!starting)}>
              {starting ? "Close" : "New run"}
            </button>
          )}
        </div>
        {types && (none || starting) && (
          <section class="new-run" aria-label="New run">
            {none && <p>Nothing has run yet. Start the first run here, or from a terminal:</p>}
            {none && <Curl types={types} />}
            <Start types={types} />
          </section>
        )}
        {tasks && tasks.length > 0 && (
          <ol class="runs">
            {tasks.map((task) => (
              <li key={task.task_id}>
                <Row task={task} />
              </li>
            ))}
          </ol>
        )}
        {tasks?.length === 0 && !none && <p class="empty">No run matches this filter.</p>}
        {runs.next.value && (
          <p class="older">
            <Action name="Older" run={() => runs.loadOlder()} />
          </p>
        )}
      </main>
    </Shell>
  );
}

interface FilterProps {
  status: string;
  job: string;
  types: JobType[] | null;
  filter: (name: string, value: string) => void;
}

function Filters({ status, job, types, filter }: FilterProps) {
  return (
    <>
      <select aria-label="Status" value={status} onChange={(event) => filter("status", event.currentTarget.value)}>
        <option value="">any status</option>
        {STATUSES.map((name) => (
          <option key={name} value={name}>
            {stateWord(name)}
          </option>
        ))}
      </select>
      <select aria-label="Job" value={job} onChange={(event) => filter("job_type", event.currentTarget.value)}>
        <option value="">any job</option>
        {types?.map((type) => (
          <option key={type.job_type}>{type.job_type}</option>
        ))}
      </select>
    </>
  );
}

function Row({ task }: { task: Task }) {
  const seconds = elapsed(task.started_at, task.finished_at, (now.value, serverNow()));
  const value = percent(task.progress);
  const state = stateOf(task.status);
  const says = task.error?.message ?? task.current_phase_message ?? stateWord(task.status);
  return (
    <Link to={`/runs/${encodeURIComponent(task.task_id)}`} class="row">
      <TaskMark status={task.status} />
      <span class="type">{task.job_type}</span>
      <code>{shortId(task.task_id)}</code>
      <span class="meter">
        <Bar value={value} state={state} label="Progress" />
      </span>
      <span class="number pct">{value} %</span>
      <span class="says">{namedBy(task) ? `${task.title} · ${says}` : says}</span>
      <span class="number took">{seconds === null ? "" : duration(seconds)}</span>
      <time class="number when" dateTime={task.created_at}>
        {moment(task.created_at)}
      </time>
    </Link>
  );
}

function Curl({ types }: { types: JobType[] }) {
  const body = JSON.stringify({ job_type: types[0]?.job_type, params: {} });
  const json = "-H 'Content-Type: application/json'";
  const login = `curl -s ${location.origin}/api/v2/auth/login ${json} -d '{"email": "…", "password": "…"}'`;
  const start = `curl ${location.origin}/api/v2/agent/start ${json} -H "Authorization: Bearer $TOKEN" -d '${body}'`;
  return (
    <>
      <pre class="code">{start}</pre>
      <p class="hint">
        <code>TOKEN</code> is the <code>access_token</code> in the answer to <code>{login}</code>
      </p>
    </>
  );
}
