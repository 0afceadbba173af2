import { useEffect, useMemo } from "preact/hooks";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import { api } from "../state/app";
import { isUnfiltered, listAddress, type RunFilter } from "../state/filter";
import { FirstKey } from "../state/first-key";
import { jobTypes } from "../state/jobs";
import { KEYS_ADDRESS } from "../state/routes";
import "../style/first-run.css";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { RunPicture } from "./run-picture";
import { Start } from "./start";
import { WaysIn } from "./ways-in";

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
  if (isUnfiltered(filter)) return <p class="empty">{filter.scope === "all" ? "Nobody" : `Nobody of ${user.tenant}`} has started a run yet.</p>;
  return (
    <p class="empty">
      No run matches this filter.{" "}
      <Link to={listAddress({ scope: filter.scope, steps: filter.steps })}>Clear the filter</Link>
    </p>
  );
}

/** In place of an empty list: how tasks that exist already become runs, and how one is started here. */
export function FirstRun({ user, mayStart }: { user: User; mayStart: boolean }) {
  const key = useMemo(() => new FirstKey(api, String(user.id)), [user.id]);
  useEffect(() => {
    if (mayStart) void key.load();
  }, [key, mayStart]);
  const types = jobTypes.value;
  if (!mayStart) return <p class="empty">You have no runs. This account may view runs, but not start them.</p>;
  return (
    <section class="first-run" aria-label="First run">
      <div class="first-words">
        <div>
          <p>Taskroom shows background tasks as they run. Bring a task that you have: its run appears here by itself when it sends its first line.</p>
          <p class="awaits" role="status">
            <i class="dot" />
            Waiting for the first run
          </p>
        </div>
        <RunPicture />
      </div>
      <FirstKeyLines value={key.value.value} />
      {types instanceof Problem && <ProblemMessage problem={types} />}
      {types && !(types instanceof Problem) && types.length > 0 && (
        <>
          <h2>Or start one of the jobs of this installation</h2>
          <Start types={types} />
        </>
      )}
    </section>
  );
}

function FirstKeyLines({ value }: { value: string | Problem | null }) {
  if (value === null) return <p class="late">Making a key for these lines.</p>;
  const keys = <Link to={KEYS_ADDRESS}>API keys</Link>;
  if (value instanceof Problem) {
    return (
      <>
        <WaysIn value="trk_…" />
        <ProblemMessage problem={value}> No key could be made for these lines. Make one at {keys}.</ProblemMessage>
      </>
    );
  }
  return (
    <>
      <WaysIn value={value} />
      <p class="hint">The key in the lines was made for you. It can only report runs, and ends in 30 days, or after a day if nobody uses it; make others at {keys}.</p>
    </>
  );
}
