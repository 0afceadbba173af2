import type { ApiKey, ApiKeyPage } from "../client/apiKeys";
import type { FleetApi, Hold, Queue, Schedule, Worker } from "../client/fleet";
import type { User } from "../client/types";
import { count, quantity } from "./format";
import { statusWord, toneOf, type Tone } from "./marks";
import { ago, duration, moment } from "./time";

/** What works and what waits, as it was at one moment. */
export interface Fleet {
  workers: readonly Worker[];
  queues: readonly Queue[];
  schedules: readonly Schedule[];
  /** The keys by which programs have reported, the last one first. */
  reporters: readonly ApiKey[];
}

/** Whether the user may pause queues and drain workers of Taskroom, which serve all; the server checks it again. */
export const mayOperate = ({ role, tenant }: User): boolean => role === "global_admin" || (tenant === null && (role === "admin" || role === "operator"));

/** What a row says at a glance. */
interface Standing {
  tone: Tone;
  /** The name of its mark. */
  shape: string;
  text: string;
}

/** Returns what is there, once the page is seen: nobody needs the numbers of a hidden page. */
export async function loadFleet(api: Pick<FleetApi, "workers" | "queues" | "schedules">, keys: () => Promise<ApiKeyPage>): Promise<Fleet> {
  await seen();
  const [workers, queues, schedules, page] = await Promise.all([api.workers(), api.queues(), api.schedules(), keys()]);
  return { workers, queues, schedules, reporters: reportersOf(page.keys) };
}

const reportersOf = (keys: readonly ApiKey[]): ApiKey[] =>
  keys
    .filter(({ scopes, last_used_at }) => scopes.includes("report") && last_used_at !== null)
    .sort((a, b) => String(b.last_used_at).localeCompare(String(a.last_used_at)));

function seen(): Promise<unknown> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

/** "by ada@example.org since 14:02" */
export const heldBy = ({ by, since }: Hold): string => `by ${by ?? "an operator"} since ${moment(since)}`;

/** `now` in milliseconds, as the server has it. */
export function workerStanding({ alive, drained, busy, slots, seen_at }: Worker, now: number): Standing {
  if (!alive) {
    const gone = `since ${moment(seen_at)}, ${ago(seen_at, now)}`;
    return drained
      ? { tone: "wait", shape: "stopped", text: `drained ${heldBy(drained)}; does not run ${gone}` }
      : { tone: "fail", shape: "failed", text: `gone ${gone}` };
  }
  if (drained) {
    const ends = busy ? `, ${quantity(busy, "run")} to end` : ", nothing runs";
    return { tone: "wait", shape: "waiting for approval", text: `drained ${heldBy(drained)}${ends}` };
  }
  const text = slots === null ? quantity(busy, "run") : `${count(busy)} of ${quantity(slots, "slot")} busy`;
  return busy ? { tone: "run", shape: "running", text } : { tone: "ok", shape: "succeeded", text: slots === null ? "idle" : `idle, ${quantity(slots, "slot")}` };
}

/** Whether the depth of the queue is what was reported long ago, and nothing says what waits now. */
export const isOld = ({ alive, known_waiting }: Queue): boolean => !alive && known_waiting === 0;

export function queueStanding(queue: Queue, now: number): Standing {
  const { alive, paused, depth, consumers, slots, busy } = queue;
  if (paused) return { tone: "wait", shape: "waiting for approval", text: `paused ${heldBy(paused)}` };
  if (!consumers && depth) return { tone: "fail", shape: "failed", text: withoutWorker(queue, now) };
  if (!consumers) return { tone: "off", shape: alive ? "queued" : "not reported", text: withoutWorker(queue, now) };
  if (!alive) return { tone: "off", shape: "not reported", text: notReported(queue, now) };
  const full = slots > 0 && busy >= slots ? `all ${quantity(slots, "slot")} busy` : `${count(busy)} of ${quantity(slots, "slot")} busy`;
  return { tone: depth ? "run" : "ok", shape: depth ? "running" : "succeeded", text: `${quantity(consumers, "worker")}${slots ? `, ${full}` : ""}` };
}

/** The workers of a project report its queue, so a queue whose last worker is gone is not reported either. */
function withoutWorker(queue: Queue, now: number): string {
  const { alive, depth, no_worker_since } = queue;
  if (no_worker_since) return `no worker since ${moment(no_worker_since)}, ${ago(no_worker_since, now)}`;
  return [(alive || depth > 0) && "no worker takes from it", !alive && notReported(queue, now)].filter(Boolean).join(", ");
}

const notReported = ({ seen_at }: Queue, now: number): string => `not reported since ${moment(seen_at)}, ${ago(seen_at, now)}`;

/** How late an entry may be before that is worth a look: a beat sends one after the other. */
const LATE_MS = 60_000;

export function scheduleStanding({ alive, last_status, last_error, next_run_at, seen_at }: Schedule, now: number): Standing {
  if (!alive) return { tone: "fail", shape: "failed", text: `its beat is gone since ${moment(seen_at)}, ${ago(seen_at, now)}` };
  if (next_run_at && Date.parse(next_run_at) < now - LATE_MS) return { tone: "fail", shape: "warning", text: `overdue since ${moment(next_run_at)}` };
  if (last_status === null) return last_error ? { tone: "fail", shape: "failed", text: "not sent" } : { tone: "off", shape: "queued", text: "" };
  return { tone: toneOf(last_status), shape: statusWord(last_status), text: statusWord(last_status) };
}

/** "in 4 m 00 s", "now" */
export function comesIn(next: string, now: number): string {
  const seconds = (Date.parse(next) - now) / 1_000;
  return seconds < 1 ? "now" : `in ${duration(Math.round(seconds))}`;
}

const URGENCY: Record<Tone, number> = { fail: 0, wait: 1, run: 2, ok: 3, off: 4 };

/** Returns the rows with what needs a look first; the others by name. */
export function byUrgency<Row extends { name: string }>(rows: readonly Row[], standing: (row: Row) => Standing): Row[] {
  const rank = (row: Row): number => Math.min(2, URGENCY[standing(row).tone]);
  return [...rows].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** Number and words of what an operator asks first: who is gone, what is busy, what waits. */
interface Figure {
  name: string;
  value: string;
  more: string;
  tone: Tone | null;
}

export function figuresOf({ workers, queues }: Pick<Fleet, "workers" | "queues">): Figure[] {
  const alive = workers.filter((worker) => worker.alive);
  const gone = workers.filter((worker) => !worker.alive && !worker.drained).length;
  const drained = workers.filter((worker) => worker.drained).length;
  const slots = sum(alive.map((worker) => worker.slots ?? 0));
  const busy = sum(alive.map((worker) => worker.busy));
  const current = queues.filter((queue) => !isOld(queue));
  const depth = sum(current.map((queue) => queue.depth));
  const oldest = Math.max(0, ...current.map((queue) => queue.oldest_wait_seconds ?? 0));
  const waiting = current.filter((queue) => queue.depth > 0);
  const paused = waiting.filter((queue) => queue.paused).length;
  const forsaken = sum(waiting.filter((queue) => !queue.paused && !queue.consumers).map((queue) => queue.depth));
  const waits = [
    oldest && `the oldest for ${duration(oldest)}`,
    forsaken && `${count(forsaken)} without a worker`,
    paused && `${quantity(paused, "queue")} paused`,
  ];
  return [
    { name: "Workers", value: count(alive.length), more: list([gone && `${count(gone)} gone`, drained && `${count(drained)} drained`]), tone: gone ? "fail" : null },
    { name: "Busy slots", value: count(busy), more: slots ? `of ${count(slots)}` : "", tone: null },
    { name: "Waiting", value: count(depth), more: list(waits), tone: forsaken ? "fail" : paused ? "wait" : null },
  ];
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

const list = (parts: readonly (string | 0)[]): string => parts.filter(Boolean).join(", ");
