import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { User } from "../client/types";
import { address, go } from "../state/address";
import { api, connection, currentUser, link } from "../state/app";
import { stoppedAt } from "../state/clock";
import { filterOf, hiddenScopeOf, isUnfiltered, listAddress, type RunFilter } from "../state/filter";
import { loadJobTypes } from "../state/jobs";
import { useShortcuts } from "../state/keys";
import { loadPeople } from "../state/people";
import { Runs } from "../state/runs";
import { learnTaskTypes, loadTaskTypes } from "../state/task-types";
import "../style/runs.css";
import "../style/rows.css";
import { ActiveRunBand } from "./active-run";
import { HiddenRuns } from "./hidden-runs";
import { FirstRun, NoList, NoMatch } from "./list-placeholders";
import { ListFilters } from "./list-filters";
import { ListTools } from "./list-tools";
import { NewRun } from "./new-run";
import { ProblemMessage } from "./problem-message";
import { RunHistogram } from "./run-histogram";
import { RunList } from "./run-list";
import { SelectBar } from "./select-bar";
import { Shell } from "./shell";
import { StatusFilter } from "./status-filter";

/** The list that was shown last, so that a reader who comes back from a run finds it as it was. */
let kept: { key: string; runs: Runs } | null = null;

function keptRuns(user: User, filter: RunFilter): Runs {
  const key = JSON.stringify([user.id, filter]);
  if (kept?.key !== key) kept = { key, runs: new Runs(api, connection, filter) };
  return kept.runs;
}

/** The page of all runs. The filter is in the address, which others may have shared: its runs may be none that the reader may see. */
export function RunsPage({ user }: { user: User }) {
  const hidden = hiddenScopeOf(address.value, user);
  return hidden ? <HiddenRuns scope={hidden} /> : <RunsOfScope user={user} />;
}

/** The list, with the form that starts a run. */
function RunsOfScope({ user }: { user: User }) {
  const filter = filterOf(address.value, user);
  const runs = useMemo(() => keptRuns(user, filter), [user.id, listAddress(filter)]);
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
  useEffect(() => {
    void loadTaskTypes(filter.scope);
    void loadPeople(filter);
  }, [filter.scope]);
  const signed = currentUser.value !== null;
  useEffect(() => {
    // A request that was refused while the session was over is not repeated by anything else.
    if (signed && runs.problem.value?.status === 401) runs.refresh();
  }, [signed, runs]);
  const shortcuts = useMemo(() => {
    const find = (): void => {
      search.current?.focus();
      search.current?.select();
    };
    const all = [{ keys: "/", description: "Search runs", run: find }];
    return mayStart ? [...all, { keys: "s", description: "Start a run", run: () => setStarting(true) }] : all;
  }, [mayStart]);
  useShortcuts("Runs", shortcuts);

  const change = (changes: Partial<RunFilter>): void => go(listAddress({ ...filter, ...changes }), true);
  const order = shown.order.value;
  useEffect(() => learnTaskTypes((order ?? []).map((id) => shown.row(id).value.task.job_type)), [order]);
  const problem = runs.problem.value;
  const none = order?.length === 0 && runs === shown;
  const first = none && isUnfiltered(filter) && filter.scope === "mine";
  const live = stoppedAt.value === null && (link.value.kind === "live" || link.value.kind === "polling");
  return (
    <Shell>
      <main class={`runs-page${live && !problem ? "" : " stale"}`} aria-busy={runs !== shown}>
        {!first && <ActiveRunBand />}
        <ListTools {...{ user, filter, change, search, first }} {...(mayStart ? { start: () => setStarting(true) } : {})} />
        {!first && <RunHistogram filter={filter} tally={shown.counts} choose={change} />}
        {!first && (
          <div class="list-filter-row">
            <StatusFilter filter={filter} tally={shown.counts} />
            <ListFilters {...{ filter, change }} />
          </div>
        )}
        {problem && order && (
          <ProblemMessage problem={problem}>
            {" "}
            What is shown is what was last known.{" "}
            <button type="button" class="plain" onClick={() => runs.refresh()}>
              Try again now
            </button>
          </ProblemMessage>
        )}
        {order === null && <NoList problem={problem} retry={() => runs.refresh()} />}
        {first && !starting && <FirstRun user={user} mayStart={mayStart} />}
        {none && !first && <NoMatch filter={filter} user={user} />}
        {order && order.length > 0 && <RunList key={listAddress(shown.filter)} runs={shown} />}
        <SelectBar runs={shown} />
        {starting && <NewRun close={() => setStarting(false)} />}
      </main>
    </Shell>
  );
}

/** Returns the list to show: the one before, until the wanted one has had its first answer. */
function useShown(runs: Runs): Runs {
  const shown = useRef(runs);
  if (runs.order.value !== null || runs.problem.value) shown.current = runs;
  return shown.current;
}
