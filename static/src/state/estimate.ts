import { isTerminal, type Phase, type Task, type TaskState, type Usual } from "../client/types";
import { percent } from "./format";
import { ORCHESTRATE } from "./phases";

/** A phase that counts is silent after this many times the time of one item, and at least this many seconds. */
const ITEMS_SILENT = 3;
const SECONDS_SILENT = 10;
/** The largest share of a phase that its time alone makes done. */
const MOST_BY_TIME = 0.95;
const RUNS_KNOWN = 3;

/** Returns whole percent of the run; null where that is not known. */
export const progressOf = (task: Task): number | null => (task.progress_known === false ? null : percent(task.progress));

/** Returns whole percent of the run now: between two events a phase that counts nothing gets on with the time, as the server
 * reckons it. */
export function progressNow({ task, phases }: TaskState, now: number): number | null {
  const present = phases.find(({ phase_id }) => phase_id === task.current_phase);
  const planned = task.plan?.find(({ phase_id }) => phase_id === task.current_phase);
  const runs = task.status === "STARTED" && present && ["active", "in_progress"].includes(present.status);
  if (!runs || task.progress_known === false || !planned?.seconds || present.total_count || !present.started_at) return progressOf(task);
  const { seconds, weight } = planned;
  const share = (at: number): number => Math.min(MOST_BY_TIME, secondsSince(present.started_at!, at) / seconds);
  const since = task.updated_at ? Date.parse(task.updated_at) : now;
  return percent((task.progress ?? 0) + 100 * weight * Math.max(0, share(now) - share(since)));
}

/** Whether a run without an estimate has taken longer than earlier ones usually did. */
export function isLonger({ task }: TaskState, now: number): boolean {
  const since = task.attempt_started_at ?? task.started_at;
  return task.status === "STARTED" && isUsual(task.usual) && since !== null && secondsSince(since, now) > task.usual.seconds;
}

/** Whether enough runs are known to speak of what is usual. */
export const isUsual = (usual: Usual | null | undefined): usual is Usual => (usual?.runs ?? 0) >= RUNS_KNOWN;

/** Returns whole percent of what a phase counts; null where its total is not known. */
export const shareOf = ({ total_count, processed_count }: Phase): number | null =>
  total_count ? percent((100 * processed_count) / total_count) : null;

/** Returns the seconds until the run ends; null where that is not known, or the run should be over, or its phase is silent
 * or late. */
export function etaOf({ task, phases }: TaskState, now: number): number | null {
  if (isTerminal(task.status) || task.status === "WAITING" || task.eta_seconds === null || !task.updated_at) return null;
  const present = phases.find(({ phase_id }) => phase_id === task.current_phase);
  if (present && (task.job_type === ORCHESTRATE ? isOverdue(present, now) : isSilent(present, now) || isLate(present, task, now))) return null;
  return left(task.eta_seconds, task.updated_at, now);
}

/** Returns the seconds until a running phase is over at its present pace; null as for the run. No phase is over after the run,
 * whose estimate, of earlier runs, is the better one. */
export function phaseEtaOf(phase: Phase, run: TaskState, now: number): number | null {
  if (phase.eta_seconds === null || isSilent(phase, now)) return null;
  const rest = left(phase.eta_seconds, phase.updated_at, now);
  return rest === null ? null : Math.min(rest, etaOf(run, now) ?? rest);
}

function left(seconds: number, since: string, now: number): number | null {
  const rest = seconds - secondsSince(since, now);
  return rest > 0 ? rest : null;
}

function isSilent(phase: Phase, now: number): boolean {
  const items = (phase.total_count ?? 0) - phase.processed_count;
  if (phase.eta_seconds === null || items <= 0) return false;
  return secondsSince(phase.updated_at, now) > Math.max(SECONDS_SILENT, (ITEMS_SILENT * phase.eta_seconds) / items);
}

/** Whether a step takes longer than it said, or was expected to; or it waits, and says nothing. */
const isOverdue = ({ status, eta_seconds, updated_at }: Phase, now: number): boolean =>
  ["active", "in_progress"].includes(status) && (eta_seconds === null || left(eta_seconds, updated_at, now) === null);

/** Whether a phase that does not count takes longer than in earlier runs. */
function isLate(phase: Phase, task: Task, now: number): boolean {
  const planned = task.plan?.find(({ phase_id }) => phase_id === phase.phase_id);
  if (phase.eta_seconds !== null || !phase.started_at || planned?.seconds == null || phase.status === "completed") return false;
  return secondsSince(phase.started_at, now) > planned.seconds;
}

const secondsSince = (timestamp: string, now: number): number => Math.max(0, (now - Date.parse(timestamp)) / 1_000);
