import type { PhaseRow, PhaseState } from "./phaseRows";
import { isTerminal, type Phase, type PlannedPhase, type Status, type Task } from "./types";

/** The largest share of a phase that its time alone makes done. */
const MOST_BY_TIME = 0.95;
/** However short a phase usually is, it has this part of an equal share. */
const LEAST = 0.35;

/** The width of an end after all phases. */
const END = 0.04;

/** One part of the bar of a run: a phase, or the whole run where its phases are not known. A run that did not succeed although all of
 * its phases did has one more, of its end. */
export interface Segment {
  /** "" of the whole run, and of its end. */
  phase_id: string;
  state: PhaseState;
  /** Its share of the width: those of all phases are 1. */
  share: number;
  /** How much of it is done, 0–1; null where that is not known. */
  done: number | null;
  errors: number;
}

const OF_RUN: Record<Status, PhaseState> = {
  PENDING: "not begun",
  WAITING: "waiting",
  STARTED: "running",
  RETRY: "waiting",
  SUCCESS: "done",
  FAILURE: "failed",
  REVOKED: "stopped",
};

/** Returns the bar of a run. `rows`: its phases, where they are known; of a run in a list only their names may be. `percent`:
 * how far the whole run is; null where that is not known. `now`: the server's time in milliseconds. */
export function segmentsOf(task: Task, rows: readonly PhaseRow[], percent: number | null, now: number): Segment[] {
  const phases = rows.filter(({ between }) => !between);
  if (phases.length === 0) return [{ phase_id: "", share: 1, errors: 0, ...wholeOf(task, percent) }];
  const shares = sharesOf(phases, task.plan ?? []);
  const segments = phases.map(({ phase_id, phase, state }, at) => ({
    phase_id,
    state,
    share: shares[at] ?? 0,
    done: doneOf(phase, state, task.plan?.find((planned) => planned.phase_id === phase_id), now),
    errors: phase?.error_count ?? 0,
  }));
  // What waits before its first phase waits for it.
  const next = segments.find(({ state }) => state === "not begun");
  if (next && OF_RUN[task.status] === "waiting" && !segments.some(({ state }) => state === "waiting")) {
    next.state = "waiting";
    next.done = null;
  }
  const end = OF_RUN[task.status];
  if ((end === "failed" || end === "stopped") && segments.every(({ state }) => state === "done"))
    segments.push({ phase_id: "", state: end, share: END, done: 1, errors: 0 });
  return segments;
}

/** Returns the phases of a run of which little more is known than their names and the present one, as of a run in a list: those before
 * it are done. */
export function namedRows(task: Task, rows: readonly PhaseRow[], names: readonly string[]): readonly PhaseRow[] {
  if (task.status === "SUCCESS") return rows.every(({ phase }) => phase) ? rows : [];
  const at = names.indexOf(task.error?.phase ?? task.current_phase ?? "");
  // Without the names, the events tell of the phase that runs first.
  if (names.length === 0) return rows.toSorted((one, other) => Number(other.state === "done") - Number(one.state === "done"));
  if (at < 0) return isTerminal(task.status) ? [] : rows;
  const present = OF_RUN[task.status] ?? "not begun";
  const ahead = isTerminal(task.status) ? "not reached" : "not begun";
  return names.map((phase_id, index) => {
    const known = rows.find((row) => row.phase_id === phase_id && row.phase);
    return known ?? { phase_id, phase: null, state: index < at ? "done" : index === at ? present : ahead };
  });
}

function wholeOf(task: Task, percent: number | null): Pick<Segment, "state" | "done"> {
  const state = OF_RUN[task.status] ?? "not begun";
  return { state, done: state === "done" ? 1 : state === "not begun" ? 0 : percent === null ? null : percent / 100 };
}

/** The weights of the plan, where each phase has one; else equal shares. */
function sharesOf(rows: readonly PhaseRow[], plan: readonly PlannedPhase[]): number[] {
  const weights = rows.map(({ phase_id }) => plan.find((planned) => planned.phase_id === phase_id)?.weight ?? 0);
  const known = weights.some((weight) => weight > 0);
  const whole = known ? weights.reduce((sum, weight) => sum + weight, 0) : rows.length;
  const least = (LEAST * whole) / rows.length;
  const wide = weights.map((weight) => (known ? Math.max(least, weight) : 1));
  const sum = wide.reduce((total, width) => total + width, 0);
  return wide.map((width) => width / sum);
}

function doneOf(phase: Phase | null, state: PhaseState, planned: PlannedPhase | undefined, now: number): number | null {
  if (state === "done") return 1;
  if (state === "waiting") return null;
  if (!phase) return state === "not begun" || state === "not reached" ? 0 : null;
  // A step that failed tells of no part that is done.
  if (phase.total_count && (phase.processed_count > 0 || state !== "failed")) return Math.min(1, phase.processed_count / phase.total_count);
  if (state !== "running" || !planned?.seconds || !phase.started_at) return null;
  return Math.min(MOST_BY_TIME, Math.max(0, (now - Date.parse(phase.started_at)) / 1_000 / planned.seconds));
}
