import { Problem } from "../client/problem";
import type { JobType, User } from "../client/types";
import { addressOf, isWhole, type Filter } from "../state/filter";
import { easiest, jobTypes } from "../state/jobs";
import { Link } from "./parts";
import { Start } from "./start";
import { Trouble } from "./problem-message";

/** Before the first answer, or instead of it. */
export function NoList({ problem, retry }: { problem: Problem | null; retry: () => void }) {
  if (problem) {
    return (
      <Trouble problem={problem}>
        {" "}
        The list of runs is not known. Runs go on meanwhile, and each has its page.{" "}
        <button type="button" class="plain" onClick={retry}>
          Try again
        </button>
      </Trouble>
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

export function NoMatch({ filter, user }: { filter: Filter; user: User }) {
  if (isWhole(filter)) return <p class="empty">Nobody of {user.tenant} has started a run yet.</p>;
  return (
    <p class="empty">
      No run matches this filter.{" "}
      <Link to={addressOf({ status: null, job_type: "", q: "", scope: filter.scope })}>Clear the filter</Link>
    </p>
  );
}

/** Instead of an empty list: how to start the first run. */
export function FirstRun({ user, mayStart }: { user: User; mayStart: boolean }) {
  const types = jobTypes.value;
  if (!mayStart) return <p class="empty">You have no runs. This account may look, not start any.</p>;
  return (
    <section class="first-run" aria-label="New run">
      <p>Nothing has run yet. Start the first run here, or from a terminal:</p>
      {types instanceof Problem && <Trouble problem={types} />}
      {types && !(types instanceof Problem) && (
        <>
          <Curl types={types} user={user} />
          <Start types={types} />
        </>
      )}
    </section>
  );
}

/** The two lines as they can be pasted, but for the password. */
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
