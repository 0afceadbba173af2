import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Virtualizer, type CacheSnapshot, type VirtualizerHandle } from "virtua";
import { serverNow } from "../client/serverClock";
import { now } from "../state/clock";
import { count, quantity } from "../state/format";
import { useShortcuts } from "../state/keys";
import { dayOf } from "../state/list-days";
import { entriesOf, type Entry } from "../state/list-entries";
import { runAddress } from "../state/routes";
import type { Runs } from "../state/runs";
import { EntryLine, ListHeads } from "./list-entry";
import { ProblemMessage } from "./problem-message";

/** The next older page is loaded when so few rows are left. */
const AHEAD = 60;
/** Within this many pixels the list is at its top. */
const TOP = 8;

interface ScrollPosition {
  offset: number;
  sizes: CacheSnapshot;
}

const idsOf = (entries: readonly Entry[]): string[] => entries.flatMap((entry) => (entry.kind === "run" ? [entry.id] : []));

/** The rows. Only those on the screen are in the page, however many are loaded. */
export function RunList({ runs }: { runs: Runs }) {
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const position = useMemo(() => runs.scrollPosition as ScrollPosition | null, [runs]);
  const ids = runs.order.value ?? [];
  const open = runs.steps.open.value;
  const today = dayOf(now.value);
  const entries = useMemo(() => entriesOf(ids, (id) => Date.parse(runs.row(id).peek().task.created_at), open, serverNow()), [ids, open, today]);
  const lines = useRef(entries);
  lines.current = entries;
  const older = runs.older.value;
  // The row with the focus stays in the page when it is scrolled away; otherwise the focus would be lost.
  const [focused, setFocused] = useState<string | null>(null);
  const at = focused === null ? -1 : entries.findIndex(({ key }) => key === focused);

  const look = useCallback((): void => {
    const handle = list.current;
    if (!handle) return;
    const first = handle.findItemIndex(handle.scrollOffset);
    const last = handle.findItemIndex(handle.scrollOffset + handle.viewportSize);
    runs.visible(idsOf(lines.current.slice(first, last + 1)));
    runs.top(handle.scrollOffset <= TOP);
    if (last + AHEAD >= lines.current.length && runs.older.value.kind === "idle") void runs.loadOlder();
  }, [runs]);

  useLayoutEffect(() => {
    const handle = list.current;
    if (position) handle?.scrollTo(position.offset);
    return () => {
      if (handle) runs.scrollPosition = { offset: handle.scrollOffset, sizes: handle.cache } satisfies ScrollPosition;
    };
  }, [runs]);
  useEffect(look, [look, entries, older]);

  const move = (step: 1 | -1): void => {
    const handle = list.current;
    if (!handle || !entries.length) return;
    const active = scroller.current?.contains(document.activeElement) ? at : -1;
    let next = active < 0 ? handle.findItemIndex(handle.scrollOffset) - (step === 1 ? 1 : 0) : active;
    do next += step;
    while (entries[next] && entries[next]?.kind !== "run");
    const entry = entries[next];
    if (entry?.kind !== "run") return;
    handle.scrollToIndex(next, { align: "nearest" });
    setFocused(entry.key);
    wanted.current = entry.id;
  };
  const wanted = useRef<string | null>(null);
  const mover = useRef(move);
  mover.current = move;
  // The row is in the page by now, because it is kept mounted.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const link = scroller.current?.querySelector<HTMLElement>(`a[href="${runAddress(wanted.current)}"]`);
    link?.focus({ preventScroll: true });
    if (link) wanted.current = null;
  });
  const shortcuts = useMemo(
    () => [
      { keys: "j", description: "Next run", run: () => mover.current(1) },
      { keys: "k", description: "Previous run", run: () => mover.current(-1) },
    ],
    [],
  );
  useShortcuts("Runs", shortcuts);
  // The arrows fold and unfold the steps of the row that has the focus, as in a tree.
  const press = (event: KeyboardEvent): void => {
    const id = idOf(event.target);
    const wants = event.key === "ArrowRight" ? true : event.key === "ArrowLeft" ? false : null;
    if (!id || wants === null || wants === open.has(id) || !runs.hasSteps(id)) return;
    event.preventDefault();
    runs.steps.unfold(id, wants);
  };

  const waiting = runs.waiting.value;
  const show = (): void => {
    runs.takeIn();
    list.current?.scrollTo(0);
  };
  return (
    <div class={runs.filter.scope === "mine" ? "run-list" : "run-list of-many"}>
      {waiting > 0 && (
        <button type="button" class="new-runs" onClick={show}>
          {count(waiting)} new
        </button>
      )}
      <ListHeads />
      <div class="scroller" ref={scroller} onFocusIn={(event) => setFocused(idOf(event.target))} onKeyDown={press}>
        <Virtualizer
          ref={list}
          as="ol"
          item="li"
          data={entries}
          scrollRef={scroller}
          onScroll={look}
          onResize={look}
          keepMounted={at < 0 ? [] : [at]}
          {...(position ? { cache: position.sizes } : {})}
        >
          {(entry: Entry) => <EntryLine key={entry.key} entry={entry} runs={runs} />}
        </Virtualizer>
        <p class="list-end hint">
          {older.kind === "loading" && <span class="late">Loading older runs.</span>}
          {older.kind === "idle" && !runs.hasOlder && quantity(ids.length, "run")}
        </p>
        {older.kind === "failed" && (
          <ProblemMessage problem={older.problem}>
            {" "}
            <button type="button" class="plain" onClick={() => void runs.loadOlder()}>
              Load older runs again
            </button>
          </ProblemMessage>
        )}
      </div>
    </div>
  );
}

/** Returns the id of the run whose row contains the element. */
function idOf(target: EventTarget | null): string | null {
  const link = target instanceof Element ? target.closest("a.row") : null;
  return link ? decodeURIComponent(link.getAttribute("href")?.split("/").at(-1) ?? "") : null;
}
