import type { Task, TaskState } from "../client/types";
import { axisLabel, stepFor } from "./axis";
import { PHASE, statusWord, toneOf, type Tone } from "./marks";
import { phaseSpan, stepName, type PhaseRow } from "./phases";

const MOST_TICKS = 4;

/** A bar. `left` and `width` are percent of the whole, times are milliseconds. */
export interface GanttRow {
  key: string;
  name: string;
  word: string;
  tone: Tone;
  /** The id of a step's task; null of a phase. */
  taskId: string | null;
  from: number;
  to: number;
  left: number;
  width: number;
}

export interface Gantt {
  from: number;
  to: number;
  rows: GanttRow[];
  /** `at` in percent. */
  ticks: { at: number; label: string }[];
}

/** Returns the run as bars over time: its phases, and for a phase that is a step the task of the step. */
export function gantt({ task }: TaskState, phases: readonly PhaseRow[], children: readonly Task[], now: number): Gantt {
  const steps = new Map(children.map((child, index) => [stepName(index + 1, child.job_type), child]));
  const bars: Omit<GanttRow, "left" | "width">[] = [];
  for (const row of phases) {
    const step = steps.get(row.phase_id);
    const span = step ? taskSpan(step, now) : phaseSpan(row, task, now);
    if (!span) continue;
    const [from, to] = span;
    const shown = step
      ? { name: step.title, word: statusWord(step.status), tone: toneOf(step.status), taskId: step.task_id }
      : { name: row.phase_id, word: row.state, tone: PHASE[row.state][0], taskId: null };
    bars.push({ key: row.phase_id, ...shown, from, to });
  }
  const from = Math.min(Date.parse(task.started_at ?? task.created_at), ...bars.map((bar) => bar.from));
  const end = task.finished_at ? Date.parse(task.finished_at) : now;
  const to = Math.max(end, from + 1, ...bars.map((bar) => bar.to));
  const share = (at: number): number => (100 * (at - from)) / (to - from);
  const rows = bars.map((bar) => ({ ...bar, left: share(bar.from), width: share(bar.to) - share(bar.from) }));
  return { from, to, rows, ticks: ticks((to - from) / 1_000) };
}

/** Returns begin and end of a step, null where it has not begun. The time that it waits for approval is part of it. */
function taskSpan(task: Task, now: number): [number, number] | null {
  const from = task.started_at ?? (task.finished_at ? null : task.created_at);
  if (!from) return null;
  const begin = Date.parse(from);
  return [begin, Math.max(begin, task.finished_at ? Date.parse(task.finished_at) : now)];
}

function ticks(seconds: number): Gantt["ticks"] {
  const step = stepFor(seconds, MOST_TICKS);
  const count = Math.floor(seconds / step);
  return Array.from({ length: count + 1 }, (_, n) => ({
    at: (100 * n * step) / seconds,
    label: n === 0 ? "0" : axisLabel(n * step),
  }));
}
