import { Problem } from "../client/problem";
import type { JobType, User } from "../client/types";
import { isUnfiltered, listAddress, type RunFilter } from "../state/filter";
import { easiest, jobTypes } from "../state/jobs";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { Start } from "./start";

/** In place of the list before its first answer, or when there is none. */
export function NoList({ problem, retry }: { problem: Problem | null; retry: () => void }) {
  if (problem) {
    return (
      <ProblemMessage problem={problem}>
        {" "}
        The list of runs cannot be loaded. The runs themselves go on.{" "}
        <button type="button" class="plain" onClick={retry}>
          Try again
        </button>
      </ProblemMessage>
    );
  }
  return (
    <div class="skeleton late" role="status" aria-label="Loading">
      {Array.from({ length: 12 }, (_, at) => (
        <i key={at} />
      ))}
    </div>
  );
}

export function NoMatch({ filter, user }: { filter: RunFilter; user: User }) {
  if (isUnfiltered(filter)) return <p class="empty">Nobody of {user.tenant} has started a run yet.</p>;
  return (
    <p class="empty">
      No run matches this filter.{" "}
      <Link to={listAddress({ status: null, job_type: "", q: "", scope: filter.scope })}>Clear the filter</Link>
    </p>
  );
}

/** In place of an empty list: how to start the first run. */
export function FirstRun({ user, mayStart }: { user: User; mayStart: boolean }) {
  const types = jobTypes.value;
  if (!mayStart) return <p class="empty">You have no runs. This account may view runs, but not start them.</p>;
  return (
    <section class="first-run" aria-label="New run">
      <p>Nothing has run yet. Start the first run here, or from a terminal:</p>
      {types instanceof Problem && <ProblemMessage problem={types} />}
      {types && !(types instanceof Problem) && (
        <>
          <Curl types={types} user={user} />
          <Start types={types} />
        </>
      )}
    </section>
  );
}

/** The two commands, to be pasted with the password filled in. */
function Curl({ types, user }: { types: readonly JobType[]; user: User }) {
  const body = JSON.stringify({ job_type: easiest(types)?.job_type, params: {} });
  const json = "-H 'Content-Type: application/json'";
  const login = JSON.stringify({ email: user.email, password: "…" });
  return (
    <pre class="code">
      {`curl -c cookies ${location.origin}/api/v2/auth/login ${json} -d '${login}'\n`}
      {`curl -b cookies ${location.origin}/api/v2/agent/start ${json} -d '${body}'`}
    </pre>
  );
}
