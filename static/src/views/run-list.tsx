import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Virtualizer, type CacheSnapshot, type VirtualizerHandle } from "virtua";
import { count, quantity } from "../state/format";
import { useShortcuts } from "../state/keys";
import { runAddress } from "../state/routes";
import type { Runs } from "../state/runs";
import { ProblemMessage } from "./problem-message";
import { RunRow } from "./run-row";

/** The next older page is loaded when so few rows are left. */
const AHEAD = 60;
/** Within this many pixels the list is at its top. */
const TOP = 8;

interface ScrollPosition {
  offset: number;
  sizes: CacheSnapshot;
}

/** The rows. Only those on the screen are in the page, however many are loaded. */
export function RunList({ runs }: { runs: Runs }) {
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const position = useMemo(() => runs.scrollPosition as ScrollPosition | null, [runs]);
  const ids = runs.order.value ?? [];
  const older = runs.older.value;
  // The row with the focus stays in the page when it is scrolled away; otherwise the focus would be lost.
  const [focused, setFocused] = useState<string | null>(null);
  const at = focused === null ? -1 : ids.indexOf(focused);

  const look = useCallback((): void => {
    const handle = list.current;
    if (!handle) return;
    const order = runs.order.value ?? [];
    const first = handle.findItemIndex(handle.scrollOffset);
    const last = handle.findItemIndex(handle.scrollOffset + handle.viewportSize);
    runs.visible(order.slice(first, last + 1));
    runs.top(handle.scrollOffset <= TOP);
    if (last + AHEAD >= order.length && runs.older.value.kind === "idle") void runs.loadOlder();
  }, [runs]);

  useLayoutEffect(() => {
    const handle = list.current;
    if (position) handle?.scrollTo(position.offset);
    return () => {
      if (handle) runs.scrollPosition = { offset: handle.scrollOffset, sizes: handle.cache } satisfies ScrollPosition;
    };
  }, [runs]);
  useEffect(look, [look, ids, older]);

  const move = (step: 1 | -1): void => {
    const handle = list.current;
    const order = runs.order.value ?? [];
    if (!handle || !order.length) return;
    const active = scroller.current?.contains(document.activeElement) ? at : -1;
    const from = active < 0 ? handle.findItemIndex(handle.scrollOffset) - (step === 1 ? 1 : 0) : active;
    const next = Math.min(order.length - 1, Math.max(0, from + step));
    handle.scrollToIndex(next, { align: "nearest" });
    setFocused(order[next] ?? null);
    wanted.current = order[next] ?? null;
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

  const waiting = runs.waiting.value;
  const show = (): void => {
    runs.takeIn();
    list.current?.scrollTo(0);
  };
  return (
    <div class="run-list">
      {waiting > 0 && (
        <button type="button" class="new-runs" onClick={show}>
          {count(waiting)} new
        </button>
      )}
      <div class="scroller" ref={scroller} onFocusIn={(event) => setFocused(idOf(event.target))}>
        <Virtualizer
          ref={list}
          as="ol"
          item="li"
          data={ids}
          scrollRef={scroller}
          onScroll={look}
          onResize={look}
          keepMounted={at < 0 ? [] : [at]}
          {...(position ? { cache: position.sizes } : {})}
        >
          {(id: string) => <RunRow key={id} row={runs.row(id)} />}
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
