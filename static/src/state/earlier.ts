import type { RelatedRun } from "../client/related";
import { isTerminal, type Task, type Usual } from "../client/types";
import { isUsual } from "./estimate";
import { statusWord, toneOf, type Tone } from "./marks";
import { duration, elapsed, moment } from "./time";

/** A run that took longer than so many medians is drawn as high as that: one such run must not make all others flat. */
const HIGHEST = 3;
const SHOWN = 24;

/** A run as a bar: its height in percent of the strip. */
export interface Bar {
  run: RelatedRun;
  tone: Tone;
  height: number;
  /** Higher than it is drawn. */
  cut: boolean;
  text: string;
}

/** Returns the bars of a list of runs that has the newest first, in the order of time. `now` in milliseconds. */
export function barsOf(runs: readonly RelatedRun[], now: number): Bar[] {
  const seconds = runs.map((run) => secondsOf(run, now) ?? 0);
  const sorted = seconds.filter((each) => each > 0).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const top = Math.max(Math.min(sorted.at(-1) ?? 0, HIGHEST * median), 1e-3);
  return runs
    .map((run, at) => ({
      run,
      tone: toneOf(run.status),
      height: Math.min(100, (100 * seconds[at]!) / top),
      cut: seconds[at]! > top,
      text: textOf(run, now),
    }))
    .reverse();
}

/** "succeeded after 24 s, 14:03". */
function textOf(run: RelatedRun, now: number): string {
  const seconds = secondsOf(run, now);
  const took = seconds === null ? "" : `${isTerminal(run.status) ? " after" : " for"} ${duration(seconds)}`;
  return `${statusWord(run.status)}${took}, ${moment(run.created_at)}`;
}

export const secondsOf = ({ started_at, finished_at }: Pick<RelatedRun, "started_at" | "finished_at">, now: number): number | null =>
  elapsed(started_at, finished_at, now);

/** The older success, which the list has behind its newest runs, stands apart in the strip. */
export const isApart = (runs: readonly RelatedRun[]): boolean => runs.length > SHOWN;

/** Returns the newest run before this one that succeeded. */
export const lastSuccess = (runs: readonly RelatedRun[], taskId: string): RelatedRun | undefined =>
  runs.find(({ task_id, status }) => task_id !== taskId && status === "SUCCESS");

/** "usually 24 s (p95 41 s), this one 26 s". */
export function usualText(task: Task, now: number): string {
  const seconds = elapsed(task.started_at, task.finished_at, now);
  const begun = isTerminal(task.status) ? "this one did not begin" : "this one has not begun";
  const own = seconds === null ? begun : `this one ${duration(seconds)}`;
  return isUsual(task.usual) ? `${usually(task.usual)}, ${own}` : own;
}

const usually = ({ seconds, p95_seconds }: Usual): string => `usually ${duration(seconds)} (p95 ${duration(p95_seconds)})`;
