import { useEffect, useMemo, useState } from "preact/hooks";
import type { BulkAction } from "../client/bulk";
import { randomKey } from "../client/randomKey";
import { announce } from "../state/announce";
import { mayAct } from "../state/app";
import { act, MOST_MATCHING, meantText, targetsOf, WORDS, type Meant } from "../state/bulk";
import { total } from "../state/counts";
import { listAddress } from "../state/filter";
import { count, quantity } from "../state/format";
import { useShortcuts } from "../state/keys";
import type { Runs } from "../state/runs";
import { selection } from "../state/selection";
import "../style/select.css";
import { Dialog } from "./dialog";
import { idOf } from "./pick";
import { ProblemMessage } from "./problem-message";
import { useCall } from "./use-call";

/** What can be done with the selected runs; nothing while none is. */
export function SelectBar({ runs }: { runs: Runs }) {
  const [asking, ask] = useState<BulkAction | null>(null);
  const counts = runs.counts.value.value;
  const { status, approval } = runs.filter;
  const matching = approval ? runs.counts.approvals.value : counts ? (status ? counts[status] : total(counts)) : 0;
  const all = selection.all.value;
  const number = all ? matching : selection.ids.value.size;
  // Of a filter that no index has only the newest are counted.
  const known = runs.counts.complete.value;
  useEffect(() => () => selection.clear(), [listAddress(runs.filter)]);
  useKeys(runs);
  useEffect(() => {
    if (number) announce(`${quantity(number, "run")} selected`);
  }, [number]);
  if (!number) return null;
  return (
    <div class="select-bar" role="group" aria-label="Selected runs">
      <strong>
        {all && "All "}
        {all && !known ? "that match" : `${count(number)} selected`}
      </strong>
      {(["cancel", "retry"] as const).map((action) => (
        <button key={action} type="button" onClick={() => ask(action)}>
          {WORDS[action].name}
        </button>
      ))}
      {!all && matching > number && (
        <button type="button" class="plain" onClick={() => selection.selectAll(runs.order.value ?? [])}>
          Select all {known && `${count(matching)} `}matching
        </button>
      )}
      <button type="button" class="plain clear" onClick={() => selection.clear()}>
        Clear
      </button>
      {asking && <Sure action={asking} number={number} meant={meantOf(runs)} runs={runs} close={() => ask(null)} />}
    </div>
  );
}

/** Returns how many selected runs have which status; null where that is not known. */
function meantOf(runs: Runs): Meant | null {
  const { counts, filter } = runs;
  if (selection.all.value) {
    const all = counts.value.value;
    if (!all || !counts.complete.value || filter.approval) return null;
    return filter.status ? { [filter.status]: all[filter.status] } : all;
  }
  const meant: Meant = {};
  for (const id of selection.ids.value) {
    const status = runs.statusOf(id);
    if (!status) return null;
    meant[status] = (meant[status] ?? 0) + 1;
  }
  return meant;
}

/** Shows the boxes of the rows, where no pointer does. */
export function SelectMode() {
  if (!mayAct.value) return null;
  const on = selection.choosing.value;
  return (
    <button type="button" class="quiet select-mode" aria-pressed={on} onClick={() => (on ? selection.clear() : (selection.choosing.value = true))}>
      Select
    </button>
  );
}

interface SureProps {
  action: BulkAction;
  number: number;
  /** How many of these are in which state; null where that is not known. */
  meant: Meant | null;
  runs: Runs;
  close: () => void;
}

/** Asks whether it is meant, and does it. A retry leaves out what succeeded, unless all of it did or the reader wants it. */
function Sure({ action, number, meant, runs, close }: SureProps) {
  const call = useCall();
  const all = selection.all.value;
  const { status, approval } = runs.filter;
  const done = meant?.SUCCESS ?? 0;
  const [succeeded, take] = useState(done === number || (all && status === "SUCCESS"));
  const key = useMemo(randomKey, [succeeded]);
  const { name, about } = WORDS[action];
  const leaves = action === "retry" && !succeeded;
  const left = leaves ? number - done : number;
  const what = `${name} ${all && !runs.counts.complete.value ? "all matching runs" : quantity(left, "run")}`;
  const asks = action === "retry" && done !== number && (meant ? done > 0 : !status && !approval);
  const run = (): void =>
    call.run(async () => {
      const ids = [...selection.ids.value].filter((id) => !leaves || runs.statusOf(id) !== "SUCCESS");
      await act(action, targetsOf(ids, all, runs.filter, action === "retry" && succeeded), left, key);
      close();
      selection.clear();
    });
  return (
    <Dialog label={what} class="sure" close={close}>
      <h2>{what}?</h2>
      {all && <p>All that match the filters now, also those that are not loaded{number > MOST_MATCHING && `: the newest ${count(MOST_MATCHING)}`}.</p>}
      {meant && <p>Selected: {meantText(action, meant)}.</p>}
      <p>{about}</p>
      {asks && (
        <label class="tick">
          <input type="checkbox" checked={succeeded} onChange={(event) => take(event.currentTarget.checked)} /> Also{" "}
          {meant ? `the ${count(done)} that succeeded` : "those that succeeded"}
        </label>
      )}
      {call.problem && <ProblemMessage problem={call.problem} />}
      <div class="sure-buttons">
        <button type="button" onClick={close}>
          Back
        </button>
        <button type="button" class="primary" disabled={call.busy || (left === 0 && meant !== null)} onClick={run}>
          {what}
        </button>
      </div>
    </Dialog>
  );
}

/** x selects the run that has the focus, X all up to it, Escape none. */
function useKeys(runs: Runs): void {
  const shortcuts = useMemo(() => {
    const focused = (then: (id: string) => void) => (): void => {
      const id = idOf(document.activeElement);
      if (id) then(id);
    };
    return [
      { keys: "x", description: "Select the run", run: focused((id) => selection.toggle(id)) },
      { keys: "X", description: "Select all up to the run", run: focused((id) => selection.extend(id, runs.order.value ?? [])) },
    ];
  }, [runs]);
  useShortcuts("Runs", shortcuts);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      const elsewhere = document.querySelector("dialog[open], :popover-open, [aria-expanded=true]");
      const typing = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea");
      if (!elsewhere && !typing) selection.clear();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
