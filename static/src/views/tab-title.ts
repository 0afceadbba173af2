import { useEffect, useRef } from "preact/hooks";
import type { Below } from "../client/observed";
import type { Task, TaskState } from "../client/types";
import { announce } from "../state/announce";
import { tickingServerNow } from "../state/clock";
import { colourOf } from "../state/colour";
import { progressOf } from "../state/estimate";
import { markAddress, PHASE, SHAPES, statusWord, taskWord, toneOf } from "../state/marks";
import { segmentsOf, type Segment } from "../state/phase-bar";
import type { PhaseRow } from "../state/phases";
import { announcementOf, titleOf } from "../state/tab-title";

/** More parts than these cannot be told apart in an icon. */
const MOST_PARTS = 5;
/** So many steps of a part are drawn: an icon that changed with each percent would flicker. */
const STEPS = 8;

/** Keeps title and icon of the browser tab up to date with a run, and announces its changes to screen readers. */
export function useTabTitle({ task }: TaskState, rows: readonly PhaseRow[], below: Below | null): void {
  const title = titleOf(task, below);
  useEffect(() => {
    document.title = title;
  }, [title]);
  const parts = partsOf(task, rows);
  const drawn = JSON.stringify(parts);
  const { status } = task;
  const word = taskWord(task);
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!icon) return;
    const before = icon.href;
    const coloured = parts.map(({ tone, share, done }) => ({ colour: colourOf(`var(--${tone})`), share, done }));
    icon.href = markAddress(SHAPES[word] ? word : statusWord(status), colourOf(`var(--${toneOf(status, word)})`), coloured, colourOf("var(--edge)"));
    return () => void (icon.href = before);
  }, [status, word, drawn]);
  const announcement = announcementOf(task);
  const first = useRef(true);
  useEffect(() => {
    // The first state is read out with the page.
    if (!first.current) announce(announcement);
    first.current = false;
  }, [announcement]);
}

/** The bar of the run in a few steps; of many phases the whole run is one part. */
function partsOf(task: Task, rows: readonly PhaseRow[]) {
  const percent = progressOf(task);
  const all = segmentsOf(task, rows, percent, tickingServerNow());
  const shown = all.length > MOST_PARTS ? segmentsOf(task, [], percent, 0) : all;
  return shown.map(({ state, share, done }: Segment) => ({
    tone: PHASE[state][0],
    share: Number(share.toFixed(2)),
    done: done === null ? 0.5 : Math.round(done * STEPS) / STEPS,
  }));
}
