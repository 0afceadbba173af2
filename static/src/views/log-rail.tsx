import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LogStore } from "../state/log";
import { BLOCK } from "../state/log-held";
import type { BlockHeights } from "../state/log-heights";
import type { LogPlaces } from "../state/log-places";
import type { LogView } from "../state/log-view";

/** The height of a mark in pixels; places that are closer share one. */
const MARK_PX = 3;
/** A click this near to a mark goes to its line. */
const NEAR_ROWS = 3;
/** So often at most the marks are computed while lines come. */
const DRAWN_MS = 250;

interface Props {
  view: LogView;
  source: LogStore;
  heights: BlockHeights;
  /** What scrolls. */
  box: RefObject<HTMLDivElement | null>;
}

interface Mark {
  kind: "error" | "warn" | "hit";
  row: number;
  sequence: number;
}

/** Marks beside the scroll bar: where in the whole log errors, warnings and hits of the search are. They are for the
 * pointer; the keys go to the next one. */
export function LogRail({ view, source, heights, box }: Props) {
  const [marks, setMarks] = useState<readonly Mark[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      timer = undefined;
      setMarks(marksOf(view, source, heights, box.current?.clientHeight ?? 0));
    };
    const stop = effect(() => {
      const { errors, warnings, hits } = view.marks;
      void [errors.version.value, warnings.version.value, hits.value?.version.value];
      void [source.version.value, view.folds.hidden.value];
      timer ??= setTimeout(look, DRAWN_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [view, source]);
  const go = (event: MouseEvent & { currentTarget: HTMLElement }): void => {
    const row = Math.floor(event.offsetY / MARK_PX);
    const near = marks.filter((mark) => Math.abs(mark.row - row) <= NEAR_ROWS);
    near.sort((one, other) => Math.abs(one.row - row) - Math.abs(other.row - row));
    view.hold();
    if (near[0]) {
      view.current.value = near[0].sequence;
      view.goTo(near[0].sequence);
    } else if (box.current) {
      const { scrollHeight, clientHeight } = box.current;
      box.current.scrollTop = (event.offsetY / clientHeight) * scrollHeight - clientHeight / 2;
    }
  };
  return (
    <div class="rail" aria-hidden="true" onClick={go}>
      {marks.map(({ kind, row }) => (
        <i key={`${kind}${row}`} class={kind} style={{ top: `${row * MARK_PX}px` }} />
      ))}
    </div>
  );
}

/** Returns at most three marks a row, so that their number does not depend on the length of the log. */
function marksOf(view: LogView, source: LogStore, heights: BlockHeights, height: number): Mark[] {
  const { errors, warnings, hits } = view.marks;
  const rows = Math.floor(height / MARK_PX);
  // A short log does not fill the view.
  const total = Math.max(heights.total, height);
  const found = new Map<string, Mark>();
  const add = (kind: Mark["kind"], places: LogPlaces | null): void => {
    for (const sequence of places?.all ?? []) {
      const key = source.keyOf(sequence);
      const within = ((sequence - 1 - key * BLOCK) / BLOCK) * heights.height(key);
      const row = Math.min(rows - 1, Math.floor(((heights.top(key) + within) / total) * rows));
      const at = `${kind}${row}`;
      if (!found.has(at) && !(kind === "warn" && found.has(`error${row}`))) found.set(at, { kind, row, sequence });
    }
  };
  if (rows > 0) {
    add("error", errors);
    add("warn", warnings);
    add("hit", hits.value);
  }
  return [...found.values()];
}
