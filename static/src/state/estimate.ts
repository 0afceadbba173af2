import { isTerminal, type Phase, type Task, type TaskState } from "../client/types";
import { percent } from "./format";

/** How long a phase that counts may say nothing, as a multiple of what an item takes it, and in seconds at least. */
const ITEMS_SILENT = 3;
const SECONDS_SILENT = 10;

/** Whole percent of the run; null where nobody knows. */
export const progressOf = (task: Task): number | null => (task.progress_known === false ? null : percent(task.progress));

/** Whole percent of what a phase counts; null where it does not say of how much. */
export const shareOf = ({ total_count, processed_count }: Phase): number | null =>
  total_count ? percent((100 * processed_count) / total_count) : null;

/** Seconds until the run ends. Null where that is not known, also once it should be over, or says nothing for longer
 * than it takes it to go on. */
export function etaOf({ task, phases }: TaskState, now: number): number | null {
  if (isTerminal(task.status) || task.status === "WAITING" || task.eta_seconds === null || !task.updated_at) return null;
  const present = phases.find(({ phase_id }) => phase_id === task.current_phase);
  if (present && (isSilent(present, now) || isLate(present, task, now))) return null;
  return left(task.eta_seconds, task.updated_at, now);
}

/** Seconds until a phase that runs is over by its own pace, in the same way. */
export function phaseEtaOf(phase: Phase, now: number): number | null {
  return phase.eta_seconds === null || isSilent(phase, now) ? null : left(phase.eta_seconds, phase.updated_at, now);
}

function left(seconds: number, said: string, now: number): number | null {
  const rest = seconds - since(said, now);
  return rest > 0 ? rest : null;
}

function isSilent(phase: Phase, now: number): boolean {
  const items = (phase.total_count ?? 0) - phase.processed_count;
  if (phase.eta_seconds === null || items <= 0) return false;
  return since(phase.updated_at, now) > Math.max(SECONDS_SILENT, (ITEMS_SILENT * phase.eta_seconds) / items);
}

/** Whether a phase without a pace of its own takes longer than it did before. */
function isLate(phase: Phase, task: Task, now: number): boolean {
  const planned = task.plan?.find(({ phase_id }) => phase_id === phase.phase_id);
  if (phase.eta_seconds !== null || !phase.started_at || planned?.seconds == null || phase.status === "completed") return false;
  return since(phase.started_at, now) > planned.seconds;
}

const since = (timestamp: string, now: number): number => Math.max(0, (now - Date.parse(timestamp)) / 1_000);
