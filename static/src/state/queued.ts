import type { Queued } from "../client/fleet";
import { heldBy } from "./fleet";
import { count, quantity } from "./format";
import { ago, duration, moment } from "./time";

/** 1 → "1st", 12 → "12th", 23 → "23rd". */
export function ordinal(value: number): string {
  const ending = Math.floor(value / 10) % 10 === 1 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${count(value)}${ending}`;
}

/** Says why a run waits for a worker. `now` in milliseconds, as the server has it. */
export function queuedWords(queued: Queued, now: number): string {
  const { queue, reason } = queued;
  switch (reason) {
    case "later":
      return `the next attempt is due at ${moment(queued.due_at ?? "")}`;
    case "paused":
      return `the queue ${queue} is paused${queued.hold ? ` ${heldBy(queued.hold)}` : ""}`;
    case "drained":
      return `all workers of the queue ${queue} are drained${queued.hold ? `, one ${heldBy(queued.hold)}` : ""}`;
    case "no_worker":
      if (!queued.seen_at) return `no worker takes from the queue ${queue}`;
      return `the queue ${queue} has had no worker since ${moment(queued.seen_at)}, ${ago(queued.seen_at, now)}`;
    case "taken":
      return taken(queued, now);
    case "at_cap":
      return `${quantity(queued.running ?? 0, "run")} of the same owner ${queued.running === 1 ? "goes" : "go"} on, and one user may have ${count(queued.most ?? 0)} at a time`;
    default:
      return place(queued);
  }
}

function taken({ worker, alive, seen_at }: Queued, now: number): string {
  if (alive) return `${worker} has taken it and not begun it yet`;
  return `${worker} has taken it, and has not answered for ${duration((now - Date.parse(seen_at ?? "")) / 1_000)}; if it is gone, the broker gives the task out again in its own time`;
}

function place({ queue, position, depth, slots, busy }: Queued): string {
  const where = position ? `${ordinal(position)} in the queue ${queue}` : position === null ? `far behind in the queue ${queue}` : `in the queue ${queue}`;
  const waiting = depth ? `, where ${count(depth)} wait` : "";
  const full = slots && busy !== undefined && busy >= slots ? (slots === 1 ? "; its only slot is busy" : `; all ${count(slots)} slots are busy`) : "";
  return where + waiting + full;
}
