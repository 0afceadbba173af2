import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import { address, api, connection, go, link, signedIn } from "../state/app";
import { addressOf, filterOf, isWhole, type Filter } from "../state/filter";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { useShortcuts } from "../state/keys";
import { Runs } from "../state/runs";
import { Band } from "./active-run";
import { Dialog } from "./dialog";
import { FirstRun, NoList, NoMatch } from "./list-placeholders";
import { Chips, Tools } from "./list-tools";
import { Shell } from "./parts";
import { RunList } from "./run-list";
import { Start } from "./start";
import { Trouble } from "./problem-message";

/** The list that was shown last, as it was left: who comes back from a run finds their place. */
let kept: { key: string; runs: Runs } | null = null;

function keptRuns(user: User, filter: Filter): Runs {
  const key = JSON.stringify([user.id, filter]);
  if (kept?.key !== key) kept = { key, runs: new Runs(api, connection, filter) };
  return kept.runs;
}

/** `/`: what runs, what ran, and how to start something. The filter is in the address. */
export function RunsPage({ user }: { user: User }) {
  const filter = filterOf(address.value, user);
  const runs = useMemo(() => keptRuns(user, filter), [user.id, addressOf(filter)]);
  const shown = useShown(runs);
  const [starting, setStarting] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const mayStart = user.role !== "viewer";

  useEffect(() => {
    runs.start();
    return () => runs.stop();
  }, [runs]);
  useEffect(() => {
    document.title = "Runs · Taskroom";
    void loadJobTypes();
  }, []);
  const signed = signedIn.value.kind === "in";
  useEffect(() => {
    // Nobody else asks again for what was refused while the session was over.
    if (signed && runs.problem.value?.status === 401) runs.refresh();
  }, [signed, runs]);
  const shortcuts = useMemo(() => {
    const find = (): void => {
      search.current?.focus();
      search.current?.select();
    };
    const all = [{ keys: "/", says: "Search runs", run: find }];
    return mayStart ? [...all, { keys: "s", says: "Start a run", run: () => setStarting(true) }] : all;
  }, [mayStart]);
  useShortcuts("Runs", shortcuts);

  const to = (changes: Partial<Filter>): void => go(addressOf({ ...filter, ...changes }), true);
  const order = shown.order.value;
  const problem = runs.problem.value;
  const none = order?.length === 0 && runs === shown;
  const first = none && isWhole(filter) && filter.scope === "mine";
  const live = link.value.kind === "live" || link.value.kind === "polling";
  return (
    <Shell>
      <main class={`runs-page${live && !problem ? "" : " stale"}`} aria-busy={runs !== shown}>
        {!first && <Band />}
        <Tools {...{ user, filter, to, search, first }} {...(mayStart ? { start: () => setStarting(true) } : {})} />
        {!first && <Chips filter={filter} counts={shown.counts.value.value} />}
        {problem && order && (
          <Trouble problem={problem}>
            {" "}
            What is shown is what was last known.{" "}
            <button type="button" class="plain" onClick={() => runs.refresh()}>
              Try again now
            </button>
          </Trouble>
        )}
        {order === null && <NoList problem={problem} retry={() => runs.refresh()} />}
        {first && !starting && <FirstRun user={user} mayStart={mayStart} />}
        {none && !first && <NoMatch filter={filter} user={user} />}
        {order && order.length > 0 && <RunList key={addressOf(shown.filter)} runs={shown} />}
        {starting && (
          <Dialog label="New run" class="panel-dialog" close={() => setStarting(false)}>
            <NewRun close={() => setStarting(false)} />
          </Dialog>
        )}
      </main>
    </Shell>
  );
}

/** The list to show: the one before, until the one that is wanted has had its first answer. */
function useShown(runs: Runs): Runs {
  const shown = useRef(runs);
  if (runs.order.value !== null || runs.problem.value) shown.current = runs;
  return shown.current;
}

function NewRun({ close }: { close: () => void }) {
  const types = jobTypes.value;
  return (
    <>
      <header>
        <h2>New run</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </header>
      {types instanceof Problem && (
        <Trouble problem={types}>
          {" "}
          <button type="button" class="plain" onClick={() => void loadJobTypes()}>
            Try again
          </button>
        </Trouble>
      )}
      {types && !(types instanceof Problem) && <Start types={types} />}
    </>
  );
}
