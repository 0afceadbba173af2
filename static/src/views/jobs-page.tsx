import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { User } from "../client/types";
import { address, go } from "../state/address";
import { api } from "../state/app";
import { stoppedAt } from "../state/clock";
import type { Scope } from "../state/filter";
import { loadJobs, type Jobs } from "../state/job-list";
import { jobScope, jobScopeOf } from "../state/job-scope";
import { useShortcuts } from "../state/keys";
import { JOBS_ADDRESS } from "../state/routes";
import { paramsOf, withQuery } from "../state/url";
import "../style/jobs.css";
import { JobsRow } from "./jobs-row";
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

const HEADS = ["Last runs", "Failed in a day", "In a week", "Week before", "Half take at most", "Now", "Last run"];

function Content({ jobs: { rows, complete }, scope, q, query }: { jobs: Jobs; scope: Scope; q: string; query: string }) {
  if (!rows.length) return <p class="empty">{q ? "No job has this in its name." : "No worker has declared a job, and nothing has run."}</p>;
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
