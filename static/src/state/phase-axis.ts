import type { Task } from "../client/types";
import { axisLabel, stepFor } from "./axis";
import { phaseSpan, type PhaseRow } from "./phases";

const MOST_TICKS = 4;
/** Percent from which on the label of a tick would leave the page. */
const LAST = 88;

/** The time that the phases and the events of a run share, in milliseconds. */
export interface Axis {
  from: number;
  to: number;
  /** `at` in percent. */
  ticks: readonly { at: number; label: string }[];
}

/** Returns the axis of a run, from its first phase or its start to its end or `now`; null before anything has begun. */
export function axisOf(task: Task, rows: readonly PhaseRow[], now: number): Axis | null {
  const spans = rows.map((row) => phaseSpan(row, task, now)).filter((span) => span !== null);
  if (!task.started_at && spans.length === 0) return null;
  const from = Math.min(...(task.started_at ? [Date.parse(task.started_at)] : []), ...spans.map(([begin]) => begin));
  const end = task.finished_at ? Date.parse(task.finished_at) : now;
  const to = Math.max(end, from + 1, ...spans.map(([, until]) => until));
  return { from, to, ticks: ticksOf((to - from) / 1_000) };
}

/** Returns where a time is on the axis, in percent. */
export const shareAt = ({ from, to }: Axis, at: number): number =>
  Math.min(100, Math.max(0, (100 * (at - from)) / (to - from)));

function ticksOf(seconds: number): Axis["ticks"] {
  const step = stepFor(seconds, MOST_TICKS);
  const all = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => ({
    at: (100 * n * step) / seconds,
    label: n === 0 ? "0" : axisLabel(n * step),
  }));
  return all.filter(({ at }) => at <= LAST);
}
