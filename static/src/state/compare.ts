import type { Task, TaskState } from "../client/types";
import { phaseRows, phaseSpan, type PhaseRow, type PhaseState } from "./phases";
import { MASK } from "./secrets";
import { elapsed } from "./time";

/** More differences than a reader looks through. */
const MOST_CHANGES = 200;

/** A value that differs, by its place: `steps.0.params.limit`. Undefined where only one of the two has it. */
export interface Change {
  path: string;
  before: unknown;
  after: unknown;
}

interface Changes {
  changes: Change[];
  /** There are more of them. */
  more: boolean;
  /** The names at the top that are the same in both. */
  same: string[];
  /** The places of what both have and nobody can compare, because it is not shown. */
  hidden: Hidden;
}

/** `one`: it is hidden in one of the two only. */
interface Hidden {
  both: string[];
  one: string[];
}

interface Found {
  changes: Change[];
  hidden: Hidden;
}

/** Returns how two JSON values differ: objects by their names, lists by their places, other values as a whole. */
export function changesOf(before: unknown, after: unknown): Changes {
  const { changes, hidden } = compared(before, after);
  const same = isObject(before) && isObject(after) ? Object.keys(before).filter((name) => name in after && isSame(before[name], after[name])) : [];
  return { changes: changes.slice(0, MOST_CHANGES), more: changes.length > MOST_CHANGES, same, hidden };
}

function compared(before: unknown, after: unknown): Found {
  const all: Found = { changes: [], hidden: { both: [], one: [] } };
  walk(before, after, "", all);
  return all;
}

function walk(before: unknown, after: unknown, path: string, found: Found): void {
  const { changes, hidden } = found;
  if (changes.length > MOST_CHANGES) return;
  const sides = [before, after] as const;
  if (Object.is(before, after)) {
    if (isMasked(before)) hidden.both.push(path);
    return;
  }
  if (sides.includes(MASK) && !sides.includes(undefined)) {
    hidden.one.push(path);
    return;
  }
  if (!sides.every(isObject) && !sides.every(Array.isArray)) {
    changes.push({ path, before, after });
    return;
  }
  const [a, b] = sides as [Record<string, unknown>, Record<string, unknown>];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    walk(ownOf(a, name), ownOf(b, name), path ? `${path}.${name}` : name, found);
  }
}

const ownOf = (value: Record<string, unknown>, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a text is, or contains, what stands in place of a secret. */
const isMasked = (value: unknown): boolean => typeof value === "string" && value.includes(MASK);

function isSame(before: unknown, after: unknown): boolean {
  const { changes, hidden } = compared(before, after);
  return changes.length + hidden.both.length + hidden.one.length === 0;
}

/** One run's part of a compared phase. */
interface Side {
  seconds: number | null;
  state: PhaseState;
  errors: number;
}

export interface PhasePair {
  phase_id: string;
  before: Side | null;
  after: Side | null;
}

/** Returns the phases of both runs in their order; one that only the earlier run had stands behind the one that it followed. */
export function phasePairs(before: TaskState, after: TaskState, now: number): PhasePair[] {
  const [earlier, later] = [sidesOf(before, now), sidesOf(after, now)];
  const order = [...later.keys()];
  let behind = -1;
  for (const phase_id of earlier.keys()) {
    const at = order.indexOf(phase_id);
    if (at < 0) order.splice(behind + 1, 0, phase_id);
    behind = at < 0 ? behind + 1 : at;
  }
  return order.map((phase_id) => ({
    phase_id,
    before: earlier.get(phase_id) ?? null,
    after: later.get(phase_id) ?? null,
  }));
}

const sidesOf = (state: TaskState, now: number): Map<string, Side> =>
  new Map(phaseRows(state, []).flatMap((row) => (row.phase ? [[row.phase_id, sideOf(row, state.task, now)] as const] : [])));

function sideOf(row: PhaseRow, task: Task, now: number): Side {
  const span = phaseSpan(row, task, now);
  const seconds = row.phase?.duration_seconds ?? (span && (span[1] - span[0]) / 1_000);
  return { seconds, state: row.state, errors: row.phase?.error_count ?? 0 };
}

/** Returns the seconds by which the later one is longer; null where one of the two is not known. */
export const longerBy = (before: number | null | undefined, after: number | null | undefined): number | null =>
  before == null || after == null ? null : after - before;

export const secondsOfRun = ({ task }: TaskState, now: number): number | null => elapsed(task.started_at, task.finished_at, now);
