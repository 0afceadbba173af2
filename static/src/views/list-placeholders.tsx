import { useEffect, useMemo } from "preact/hooks";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import { go } from "../state/address";
import { api } from "../state/app";
import { total } from "../state/counts";
import { isUnfiltered, listAddress, NO_FILTER, scopesOf, taskFilterOf, type RunFilter } from "../state/filter";
import { FirstKey } from "../state/first-key";
import { quantity } from "../state/format";
import { jobTypes } from "../state/jobs";
import { KEYS_ADDRESS } from "../state/routes";
import "../style/first-run.css";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { RunPicture } from "./run-picture";
import { Start } from "./start";
import { useLoaded } from "./use-loaded";
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

/** Once for a user of a tab: whoever chooses the empty list afterwards sees it. */
const taken = new Set<unknown>();

/** Says how many runs others have, with a link to them, where the reader may see these. Who can have no runs is taken there at once. */
export function RunsOfOthers({ user, mayStart }: { user: User; mayStart: boolean }) {
  const scope = scopesOf(user)[1];
  const load = async (): Promise<number> => total((await api.counts(taskFilterOf({ ...NO_FILTER, scope: scope ?? "mine" }))).counts);
  const number = useLoaded(scope ? load : null, [user.id, scope]);
  const theirs = scope && number ? listAddress({ scope }) : null;
  useEffect(() => {
    if (mayStart || !theirs || taken.has(user.id)) return;
    taken.add(user.id);
    go(theirs, true);
  }, [mayStart, theirs, user.id]);
  if (!theirs || !number) return null;
  return (
    <p class="of-others">
      {scope === "tenant" ? "Your team has" : "All users have"} <Link to={theirs}>{quantity(number, "run")}</Link>.
    </p>
  );
}

/** In place of an empty list: how tasks that exist already become runs, and how one is started here. */
export function FirstRun({ user, mayStart }: { user: User; mayStart: boolean }) {
  const key = useMemo(() => new FirstKey(api, String(user.id)), [user.id]);
  useEffect(() => {
    if (mayStart) void key.find();
  }, [key, mayStart]);
  const types = jobTypes.value;
  if (!mayStart) {
    return (
      <div class="empty">
        <RunsOfOthers user={user} mayStart={false} />
        <p>You have no runs. This account may view runs, but not start them.</p>
      </div>
    );
  }
  return (
    <section class="first-run" aria-label="First run">
      <RunsOfOthers user={user} mayStart />
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
      <FirstKeyLines of={key} />
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

function FirstKeyLines({ of }: { of: FirstKey }) {
  const value = of.value.value;
  const keys = <Link to={KEYS_ADDRESS}>API keys</Link>;
  const key = typeof value === "string" ? value : null;
  return (
    <>
      {value instanceof Problem && <ProblemMessage problem={value}> No key could be made for these lines. Make one at {keys}.</ProblemMessage>}
      {key ? (
        <p class="hint">The key in the lines was made for you. It can only report runs, and ends in 30 days, or after a day if nobody uses it; make others at {keys}.</p>
      ) : (
        <p class="hint first-key">
          <button type="button" disabled={of.busy.value} onClick={() => void of.make()}>
            Show these lines with a key
          </button>
          <span>
            It can only report runs, for 30 days. Or put one of your {keys} in place of <code>trk_…</code>.
          </span>
        </p>
      )}
      <WaysIn value={key ?? "trk_…"} />
    </>
  );
}
