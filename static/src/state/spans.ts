import type { TreeTask } from "../client/tree";
import { isTerminal, type Task } from "../client/types";

/** A piece of a task's bar in seconds since the begin of the axis; without `to` it grows. */
interface Piece {
  kind: "queued" | "asks" | "pauses" | "before" | "runs";
  from: number;
  to: number | null;
}

/** Returns how a task's time passed: waiting, in attempts that failed, and running. `begin` is where the axis begins, in
 * milliseconds; `waits` are the times in which it waited for approvals. */
export function piecesOf(task: Task, begin: number, waits: TreeTask["waits"] = []): Piece[] {
  const at = (time: string): number => Math.max(0, (Date.parse(time) - begin) / 1_000);
  const end = task.finished_at ? at(task.finished_at) : null;
  // A wait that is not over is in the status of the task, which is newer.
  const asks = waits.flatMap(([asked, decided]) => (decided || end !== null ? [{ from: at(asked), to: decided ? at(decided) : end! }] : []));
  return asks.reduce(withWait, ofStatus(task, at));
}

/** Returns the pieces with another one in which the task waited for an approval, in place of what was there. */
function withWait(pieces: Piece[], { from, to }: { from: number; to: number }): Piece[] {
  const around = pieces.flatMap((piece) => {
    const before = { ...piece, to: Math.min(piece.to ?? from, from) };
    const after = { ...piece, from: Math.max(piece.from, to) };
    const ends = piece.to ?? Infinity;
    if (piece.from >= to || ends <= from) return [piece];
    return [...(before.to > before.from ? [before] : []), ...(ends > after.from ? [after] : [])];
  });
  return [...around, { kind: "asks" as const, from, to }].sort((a, b) => a.from - b.from);
}

function ofStatus(task: Task, at: (time: string) => number): Piece[] {
  const { status } = task;
  const created = at(task.created_at);
  const end = task.finished_at ? at(task.finished_at) : null;
  if (!task.started_at) return [{ kind: status === "WAITING" ? "asks" : "queued", from: created, to: end }];
  const started = at(task.started_at);
  const attempt = task.retry_count > 0 && task.attempt_started_at ? Math.max(started, at(task.attempt_started_at)) : started;
  const waits = status === "WAITING" || status === "RETRY" || status === "PENDING";
  const left = waits && task.updated_at ? Math.max(attempt, at(task.updated_at)) : null;
  const pieces: Piece[] = [
    { kind: "queued", from: created, to: started },
    { kind: "before", from: started, to: attempt },
    { kind: "runs", from: attempt, to: isTerminal(status) ? (end ?? attempt) : left },
  ];
  if (left !== null) pieces.push({ kind: status === "WAITING" ? "asks" : status === "RETRY" ? "pauses" : "queued", from: left, to: null });
  return pieces.filter(({ kind, from, to }) => kind === "runs" || to === null || to > from);
}

/** A time axis in milliseconds. `until` is the last end that is known; an open one goes on with the time. */
export interface Axis {
  from: number;
  until: number;
  open: boolean;
}

/** Returns the axis of a run and of all tasks that are shown. */
export function axisOf(root: Task, tasks: readonly Task[]): Axis {
  const all = [root, ...tasks];
  const begins = [root.started_at ?? root.created_at, ...tasks.map(({ created_at }) => created_at)];
  const from = Math.min(...begins.map((time) => Date.parse(time)));
  const ends = all.map(({ finished_at }) => (finished_at ? Date.parse(finished_at) : 0));
  return { from, until: Math.max(from + 1, ...ends), open: all.some(({ status }) => !isTerminal(status)) };
}
