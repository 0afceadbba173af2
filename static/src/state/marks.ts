import { NOTHING_DONE, specialWord } from "../client/outcome";
import type { Status, Task } from "../client/types";
import type { PhaseState } from "./phases";

/** The role of a colour: each has its `--<tone>` and its class `s-<tone>`. */
export type Tone = "run" | "ok" | "fail" | "wait" | "off";

const TASK: Record<Status, [Tone, string]> = {
  PENDING: ["off", "queued"],
  WAITING: ["wait", "waiting for approval"],
  STARTED: ["run", "running"],
  RETRY: ["wait", "retrying"],
  SUCCESS: ["ok", "succeeded"],
  FAILURE: ["fail", "failed"],
  REVOKED: ["off", "cancelled"],
};

export const statusWord = (status: Status): string => TASK[status]?.[1] ?? String(status).toLowerCase();

/** The word for the state of a task, also of one that expired, that was not reported, or that did nothing. */
export const taskWord = (task: Task): string => specialWord(task) ?? statusWord(task.status);

/** `word`: that of the task, where it is known. */
export const toneOf = (status: Status, word = ""): Tone => (word === NOTHING_DONE ? "wait" : (TASK[status]?.[0] ?? "off"));

export const taskTone = (task: Task): Tone => toneOf(task.status, taskWord(task));

/** Tone and shape of a phase. */
export const PHASE: Record<PhaseState, readonly [Tone, string]> = {
  "not begun": ["off", "queued"],
  running: ["run", "running"],
  waiting: ["wait", "waiting for approval"],
  done: ["ok", "succeeded"],
  failed: ["fail", "failed"],
  stopped: ["off", "stopped"],
  "not reached": ["off", "cancelled"],
};

/** One line of a mark of 16 by 16: of this width, or filled. */
interface Stroke {
  d: string;
  width?: number;
}

const triangle: Stroke = { d: "M8 2.5 14 13.25H2zM8 6.5v3M8 10.75v1", width: 1.5 };
const circle: Stroke = { d: "M8 2.25a5.75 5.75 0 1 1 0 11.5a5.75 5.75 0 0 1 0-11.5z", width: 1.5 };

/** One shape a state, so that no state is shown by colour alone. */
export const SHAPES: Readonly<Record<string, readonly Stroke[]>> = {
  queued: [circle],
  running: [circle, { d: "M8 2.25a5.75 5.75 0 0 1 0 11.5z" }],
  "waiting for approval": [{ d: "M5 3h2v10H5zM9 3h2v10H9z" }],
  retrying: [{ d: "M12.5 5.5A5.25 5.25 0 1 0 13.25 8M13 2.5v3.25H9.75", width: 1.5 }],
  succeeded: [{ d: "m3 8.5 3.5 3.5L13 4.5", width: 2 }],
  failed: [{ d: "m4 4 8 8m0-8-8 8", width: 2 }],
  information: [circle, { d: "M8 7.25v3.5M8 4.75v1", width: 1.5 }],
  [NOTHING_DONE]: [triangle],
  warning: [triangle],
  "not reported": [circle, { d: "M6.25 6.6a1.75 1.75 0 1 1 2.6 1.5c-.6.35-.85.7-.85 1.3M8 10.9v1", width: 1.5 }],
  cancelled: [circle, { d: "m4 12 8-8", width: 1.5 }],
  stopped: [circle, { d: "M5.75 5.75h4.5v4.5h-4.5z" }],
};

/** A part of a favicon's bar: its colour, share of the width, and how much of it is done, both 0–1. */
interface IconPart {
  colour: string;
  share: number;
  done: number;
}

/** How wide the bar of a favicon is, and the gap between two parts. */
const ICON_WIDTH = 16;
const ICON_GAP = 0.75;

/** Returns the address of a favicon: a mark in its colour, over the bar of the run. */
export function markAddress(word: string, colour: string, parts: readonly IconPart[], track: string): string {
  const strokes = (SHAPES[word] ?? [circle]).map(({ d, width }) =>
    width ? `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}"/>` : `<path d="${d}" fill="${colour}"/>`,
  );
  const space = ICON_WIDTH - ICON_GAP * (parts.length - 1);
  let left = 0;
  const bar = parts.map((part) => {
    const [at, width] = [left, part.share * space];
    left += width + ICON_GAP;
    const rect = (of: number, fill: string): string =>
      of > 0 ? `<rect x="${at.toFixed(2)}" y="12" width="${of.toFixed(2)}" height="4" fill="${fill}"/>` : "";
    return rect(width, track) + rect(width * part.done, part.colour);
  });
  const mark = `<g transform="translate(2.5 0) scale(.6875)">${strokes.join("")}</g>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${mark}${bar.join("")}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
