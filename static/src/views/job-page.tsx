import { useEffect, useState } from "preact/hooks";
import type { JobStats } from "../client/jobStats";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import { address, go } from "../state/address";
import { api } from "../state/app";
import { stoppedAt } from "../state/clock";
import { listAddress, type Scope } from "../state/filter";
import { openOf } from "../state/job-list";
import { jobScope, jobScopeOf, serverScope } from "../state/job-scope";
import { WINDOWS, windowOf } from "../state/job-stats";
import { jobTypes, lastJob, loadJobTypes } from "../state/jobs";
import { toneOf } from "../state/marks";
import { jobAddress, JOBS_ADDRESS } from "../state/routes";
import { paramsOf, withQuery } from "../state/url";
import "../style/job.css";
import { Choice } from "./choice";
import { JobErrors } from "./job-errors";
import { JobFigures } from "./job-figures";
import { JobPhases } from "./job-phases";
import { JobRuns } from "./job-runs";
import { JobTimes } from "./job-times";
import { Link } from "./link";
import { NewRun } from "./new-run";
import { NotFound } from "./not-found";
import { ProblemMessage } from "./problem-message";
import { ScopeLinks } from "./scope-links";
import { Shell } from "./shell";
import { useAnswer } from "./use-loaded";

/** The numbers change when runs end; nobody needs them sooner. */
const REFRESH_MS = 15_000;

/** What the runs of a job were like: how many failed and why, how long they take, which were the last. */
export function JobPage({ user, id }: { user: User; id: string }) {
  const asked = paramsOf(address.value);
  const window = windowOf(asked.get("window"));
  const scope = jobScopeOf(asked.get("scope"), user);
  const { value, problem } = useAnswer(() => api.jobStats(id, window, serverScope(scope)), [id, window, scope], REFRESH_MS);
  useEffect(() => {
    document.title = `${id} · Taskroom`;
    void loadJobTypes();
  }, [id]);
  const stats = value?.job_type === id ? value : null;
  if (problem?.status === 404) return <Missing id={id} />;
  const at = (to: Scope, time: string): string => {
    const search = new URLSearchParams({ window: time, ...(to === jobScope(user) ? {} : { scope: to }) });
    return withQuery(jobAddress(id), search);
  };
  return (
    <Shell>
      <main class={stoppedAt.value !== null || problem ? "page job stale" : "page job"} aria-busy={!stats}>
        <header class="job-head">
          <p class="job-up">
            <Link to={JOBS_ADDRESS}>All jobs</Link>
          </p>
          <h1>{id}</h1>
          <ScopeLinks user={user} scope={scope} to={(to) => at(to, window)} />
          <Choice label="Time" value={window} options={WINDOWS} change={(value) => go(at(scope, value), true)} />
          {user.role !== "viewer" && <RunIt job={id} />}
        </header>
        {problem && <ProblemMessage problem={problem}> {problem.isRefusal ? "" : "Trying again."}</ProblemMessage>}
        {stats ? <Content stats={stats} scope={scope} /> : !problem && <p class="late">Loading.</p>}
      </main>
    </Shell>
  );
}

function Content({ stats, scope }: { stats: JobStats; scope: Scope }) {
  const list = listAddress({ job_type: stats.job_type, scope });
  const open = openOf(stats.job_type, stats.open, stats.complete, scope);
  return (
    <>
      <JobFigures stats={stats} />
      {open.length > 0 && (
        <p class="job-now number">
          Now{" "}
          {open.map(({ status, text, to }) => (
            <Link key={status} to={to} class={`s-${toneOf(status)}`}>
              {text}
            </Link>
          ))}
        </p>
      )}
      <JobTimes stats={stats} />
      <JobErrors errors={stats.errors} />
      <div class="job-columns">
        <JobRuns runs={stats.runs} list={list} waiting={open.length > 0} />
        <JobPhases phases={stats.phases} />
      </div>
    </>
  );
}

/** Opens the form of the job, where this server starts it. */
function RunIt({ job }: { job: string }) {
  const [starting, setStarting] = useState(false);
  const types = jobTypes.value;
  if (!types || types instanceof Problem || !types.some(({ job_type }) => job_type === job)) return null;
  const open = (): void => {
    lastJob.value = job;
    setStarting(true);
  };
  return (
    <>
      <button type="button" class="primary" onClick={open}>
        Run
      </button>
      {starting && <NewRun close={() => setStarting(false)} />}
    </>
  );
}

const Missing = ({ id }: { id: string }) => (
  <NotFound heading="There is no job of this name">
    No worker has declared <code>{id}</code>, and there is no run of it.
  </NotFound>
);
