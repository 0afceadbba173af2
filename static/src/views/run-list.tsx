import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Virtualizer, type CacheSnapshot, type VirtualizerHandle } from "virtua";
import { useShortcuts } from "../state/keys";
import type { Runs } from "../state/runs";
import { count } from "../state/format";
import { runAddress, RunRow } from "./run-row";
import { Trouble } from "./problem-message";

/** The next older page is asked for when so few rows are left. */
const AHEAD = 60;
/** Within this many pixels one is at the top. */
const TOP = 8;

interface Place {
  offset: number;
  sizes: CacheSnapshot;
}

/** The rows, of which only those on the screen are in the page, however many are loaded. */
export function RunList({ runs }: { runs: Runs }) {
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const place = useMemo(() => runs.place as Place | null, [runs]);
  const ids = runs.order.value ?? [];
  const older = runs.older.value;
  // What has the focus stays in the page when it is scrolled away, or the keyboard would lose its place.
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
    if (place) handle?.scrollTo(place.offset);
    return () => {
      if (handle) runs.place = { offset: handle.scrollOffset, sizes: handle.cache } satisfies Place;
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
  // The row is in the page by now, for it is kept mounted.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const link = scroller.current?.querySelector<HTMLElement>(`a[href="${runAddress(wanted.current)}"]`);
    link?.focus({ preventScroll: true });
    if (link) wanted.current = null;
  });
  const shortcuts = useMemo(
    () => [
      { keys: "j", says: "Next run", run: () => mover.current(1) },
      { keys: "k", says: "Previous run", run: () => mover.current(-1) },
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
          {...(place ? { cache: place.sizes } : {})}
        >
          {(id: string) => <RunRow key={id} row={runs.row(id)} />}
        </Virtualizer>
        <p class="list-end hint">
          {older.kind === "loading" && <span class="late">Loading older runs.</span>}
          {older.kind === "idle" && !runs.hasOlder && `${count(ids.length)} ${ids.length === 1 ? "run" : "runs"}`}
        </p>
        {older.kind === "failed" && (
          <Trouble problem={older.problem}>
            {" "}
            <button type="button" class="plain" onClick={() => void runs.loadOlder()}>
              Load older runs again
            </button>
          </Trouble>
        )}
      </div>
    </div>
  );
}

/** The run whose row holds the element. */
function idOf(target: EventTarget | null): string | null {
  const link = target instanceof Element ? target.closest("a.row") : null;
  return link ? decodeURIComponent(link.getAttribute("href")?.split("/").at(-1) ?? "") : null;
}
