import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { JobRow } from "../client/jobStats";
import type { User } from "../client/types";
import { address, go } from "../state/address";
import { api } from "../state/app";
import { stoppedAt } from "../state/clock";
import type { Scope } from "../state/filter";
import { loadJobs, type Jobs } from "../state/job-list";
import { jobScope, jobScopeOf } from "../state/job-scope";
import { total } from "../state/job-stats";
import { useShortcuts } from "../state/keys";
import { jobAddress, JOBS_ADDRESS } from "../state/routes";
import { paramsOf, withQuery } from "../state/url";
import "../style/jobs.css";
import { JobsRow } from "./jobs-row";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { ScopeLinks } from "./scope-links";
import { Search } from "./search";
import { Shell } from "./shell";
import { useAnswer } from "./use-loaded";

/** The numbers change when runs end; nobody needs them sooner. */
const REFRESH_MS = 15_000;
const TYPED_MS = 200;

/** All jobs: how many failed lately and whether that is usual, how long they take, what runs and waits. */
export function JobsPage({ user }: { user: User }) {
  const asked = paramsOf(address.value);
  const [scope, q] = [jobScopeOf(asked.get("scope"), user), asked.get("q") ?? ""];
  const [pages, setPages] = useState(1);
  const search = useRef<HTMLInputElement>(null);
  const at = (to: Scope, text: string): string => {
    const query = new URLSearchParams();
    if (to !== jobScope(user)) query.set("scope", to);
    if (text) query.set("q", text);
    return withQuery(JOBS_ADDRESS, query);
  };
  const { value, problem } = useAnswer(() => loadJobs(api, scope, q.trim(), pages), [scope, q, pages], REFRESH_MS);
  useEffect(() => void (document.title = "Jobs · Taskroom"), []);
  useShortcuts(
    "Jobs",
    useMemo(() => [{ keys: "/", description: "Filter the jobs", run: () => search.current?.focus() }], []),
  );
  return (
    <Shell>
      <main class={stoppedAt.value !== null || problem ? "page jobs-page stale" : "page jobs-page"} aria-busy={!value}>
        <header class="jobs-head">
          <h1>Jobs</h1>
          <ScopeLinks user={user} scope={scope} to={(to) => at(to, q)} />
          <search>
            <Search field={search} label="Filter the jobs" placeholder="Name" value={q} delay={TYPED_MS} change={(text) => go(at(scope, text), true)} />
          </search>
        </header>
        {problem && <ProblemMessage problem={problem}> {problem.isRefusal ? "" : "Trying again."}</ProblemMessage>}
        {value ? <Content jobs={value} scope={scope} q={q} query={scope === jobScope(user) ? "" : `?scope=${scope}`} /> : !problem && <p class="late">Loading.</p>}
        {value?.more && (
          <button type="button" onClick={() => setPages(pages + 1)}>
            Show more
          </button>
        )}
      </main>
    </Shell>
  );
}

const HEADS = ["Last runs", "Failed in a day", "In a week", "Week before", "Usually", "Now", "Last run"];

function Content({ jobs: { rows, complete }, scope, q, query }: { jobs: Jobs; scope: Scope; q: string; query: string }) {
  if (!rows.length) return <p class="empty">{q ? "No job has this in its name." : "No worker has declared a job, and nothing has run."}</p>;
  const ran = rows.filter(hasRuns);
  return (
    <>
      {ran.length > 0 && <Table {...{ rows: ran, complete, scope, query }} />}
      {ran.length < rows.length && <Others rows={rows.filter((row) => !hasRuns(row))} query={query} />}
    </>
  );
}

/** Whether there is anything to say of it. */
const hasRuns = ({ runs, open, week }: JobRow): boolean => runs.length > 0 || Object.keys(open).length > 0 || total(week.counts) > 0;

/** The jobs that workers have declared, and that nobody has run. */
const Others = ({ rows, query }: { rows: readonly JobRow[]; query: string }) => (
  <section class="jobs-others" aria-labelledby="jobs-others">
    <h2 id="jobs-others">Without a run</h2>
    <ul>
      {rows.map(({ job_type }) => (
        <li key={job_type}>
          <Link to={`${jobAddress(job_type)}${query}`}>{job_type}</Link>
        </li>
      ))}
    </ul>
  </section>
);

function Table({ rows, complete, scope, query }: { rows: readonly JobRow[]; complete: boolean; scope: Scope; query: string }) {
  return (
    <table class="jobs">
      <thead>
        <tr>
          <th scope="col">Job</th>
          {HEADS.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <JobsRow key={row.job_type} {...{ row, scope, complete, query }} />
        ))}
      </tbody>
    </table>
  );
}
