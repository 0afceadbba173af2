// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { ApiKey, Scope } from "../client/apiKeys";
import type { Queue, Schedule, Worker } from "../client/fleet";
import { byUrgency, comesIn, figuresOf, loadFleet, queueStanding, scheduleStanding, workerStanding } from "./fleet";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const SINCE = "2026-11-30T11:48:00.000000Z";
const HOLD = { by: "ada@example.org", since: SINCE };

const worker = (name: string, more: Partial<Worker> = {}): Worker => ({
  ...{ name, own: true, reporter: null, host: "here", pid: 7, pool: "prefork", slots: 4, queues: ["taskroom"], memory_bytes: null, versions: {} },
  ...{ busy: 0, tasks: [], lost: [], drained: null, since: SINCE, seen_at: SINCE, alive: true, ...more },
});

const queue = (name: string, more: Partial<Queue> = {}): Queue => ({
  ...{ name, own: true, reporter: null, depth: 0, known_waiting: 0, oldest_wait_seconds: null, consumers: 1, slots: 4, busy: 0, workers: [] },
  ...{ no_worker_since: null, paused: null, seen_at: SINCE, alive: true, ...more },
});

test.each<[Partial<Worker>, string, RegExp]>([
  [{ busy: 3 }, "run", /^3 of 4 slots busy$/],
  [{}, "ok", /^idle, 4 slots$/],
  [{ slots: null }, "ok", /^idle$/],
  [{ alive: false }, "fail", /^gone since .*, 12 min ago$/],
  [{ drained: HOLD, busy: 1 }, "wait", /^drained by ada@example.org since .*, 1 run to end$/],
  [{ drained: { ...HOLD, by: null } }, "wait", /^drained by an operator since .*, nothing runs$/],
  [{ drained: HOLD, alive: false }, "wait", /^drained by ada.*; does not run since .*, 12 min ago$/],
])("a worker %j is shown as %s", (more, tone, text) => {
  const standing = workerStanding(worker("a", more), NOW);

  expect(standing.tone).toBe(tone);
  expect(standing.text).toMatch(text);
});

test.each<[Partial<Queue>, string, RegExp]>([
  [{}, "ok", /^1 worker, 0 of 4 slots busy$/],
  [{ depth: 3, busy: 4, consumers: 2 }, "run", /^2 workers, all 4 slots busy$/],
  [{ depth: 3, consumers: 0 }, "fail", /^no worker takes from it$/],
  [{ consumers: 0 }, "off", /^no worker takes from it$/],
  [{ depth: 3, paused: HOLD, consumers: 0 }, "wait", /^paused by ada@example.org since /],
  [{ alive: false, consumers: 0 }, "off", /^not reported since .*, 12 min ago$/],
  [{ alive: false, depth: 5, consumers: 0 }, "fail", /^no worker takes from it, not reported since .*, 12 min ago$/],
  [{ alive: false, depth: 5 }, "off", /^not reported since /],
  [{ alive: false, depth: 19, known_waiting: 19, consumers: 0, no_worker_since: SINCE }, "fail", /^no worker since .*, 12 min ago$/],
  [{ depth: 3, consumers: 0, no_worker_since: SINCE }, "fail", /^no worker since .*, 12 min ago$/],
  [{ consumers: 0, no_worker_since: SINCE }, "off", /^no worker since .*, 12 min ago$/],
])("a queue %j is shown as %s", (more, tone, text) => {
  const standing = queueStanding(queue("a", more), NOW);

  expect(standing.tone).toBe(tone);
  expect(standing.text).toMatch(text);
});

const schedule = (more: Partial<Schedule>): Schedule => ({
  ...{ name: "nightly", own: true, reporter: null, job_type: "shop.sums", schedule: "0 2 * * *", last_run_at: SINCE, last_task_id: null },
  ...{ last_status: null, last_error: null, next_run_at: "2026-11-30T12:04:00.000000Z", seen_at: SINCE, alive: true, ...more },
});

test.each<[Partial<Schedule>, string, RegExp]>([
  [{}, "off", /^$/],
  [{ last_status: "SUCCESS" }, "ok", /^succeeded$/],
  [{ last_status: "STARTED" }, "run", /^running$/],
  [{ last_status: "FAILURE" }, "fail", /^failed$/],
  [{ last_error: "the broker is away" }, "fail", /^not sent$/],
  [{ last_status: "SUCCESS", next_run_at: "2026-11-30T11:58:00.000000Z" }, "fail", /^overdue since /],
  [{ last_status: "SUCCESS", next_run_at: "2026-11-30T11:59:30.000000Z" }, "ok", /^succeeded$/],
  [{ alive: false }, "fail", /^its beat is gone since .*, 12 min ago$/],
])("a schedule %j is shown as %s", (more, tone, text) => {
  const standing = scheduleStanding(schedule(more), NOW);

  expect(standing.tone).toBe(tone);
  expect(standing.text).toMatch(text);
});

test("the next run is told by the time until then", () => {
  const next = ["2026-11-30T12:04:00Z", "2026-11-30T12:00:00.400Z", "2026-11-30T11:59:00Z", "2026-12-01T02:00:00Z"];

  expect(next.map((at) => comesIn(at, NOW))).toEqual(["in 4 m 00 s", "now", "now", "in 14 h 00 m"]);
});

test("what needs a look comes first, the others by name", () => {
  const workers = [worker("c"), worker("b", { busy: 1 }), worker("d", { drained: HOLD }), worker("e", { alive: false }), worker("a")];

  expect(byUrgency(workers, (row) => workerStanding(row, NOW)).map(({ name }) => name)).toEqual(["e", "d", "a", "b", "c"]);
});

test("the figures count who is gone and what waits", () => {
  const workers = [worker("a", { busy: 3 }), worker("b", { alive: false, busy: 2 }), worker("c", { drained: HOLD, busy: 1 })];
  const queues = [queue("a", { depth: 3, oldest_wait_seconds: 70 }), queue("b", { depth: 1_200, paused: HOLD, oldest_wait_seconds: 20 })];

  const figures = figuresOf({ workers, queues }).map(({ name, value, more, tone }) => [name, value, more, tone]);

  expect(figures).toEqual([
    ["Workers", "2", "1 gone, 1 drained", "fail"],
    ["Busy slots", "4", "of 8", null],
    ["Waiting", "1,203", "the oldest for 1 m 10 s, 1 queue paused", "wait"],
  ]);
  const forsaken = [queue("a", { depth: 3, consumers: 0 }), queue("b", { paused: HOLD })];
  expect(figuresOf({ workers: [], queues: forsaken }).at(-1)).toMatchObject({ more: "3 without a worker", tone: "fail" });
  const unreported = [queue("a", { alive: false, depth: 5, consumers: 0 }), queue("b", { alive: false, depth: 26, known_waiting: 26, consumers: 0 })];
  expect(figuresOf({ workers: [], queues: unreported }).at(-1), "what waited long ago is not what waits").toMatchObject({
    ...{ value: "26", more: "26 without a worker", tone: "fail" },
  });
  expect(figuresOf({ workers: [], queues: [] }).map(({ value, more }) => value + more)).toEqual(["0", "0", "0"]);
});

const key = (name: string, last_used_at: string | null, scope: Scope = "report"): ApiKey => ({
  ...{ id: name, name, prefix: "trk_abc", scopes: [scope], tenant: null, owner: "ada@example.org" },
  ...{ created_at: SINCE, expires_at: null, last_used_at },
});

test("a hidden page asks when it is seen again", async () => {
  let hidden = true;
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  const asked: string[] = [];
  const calls = {
    workers: () => (asked.push("workers"), Promise.resolve([worker("a")])),
    queues: () => (asked.push("queues"), Promise.resolve([])),
    schedules: () => (asked.push("schedules"), Promise.resolve([])),
  };
  const keys = [key("old", SINCE), key("unused", null), key("new", "2026-11-30T11:59:00Z"), key("reader", SINCE, "read")];
  const fleet = loadFleet(calls, () => Promise.resolve({ keys, next: null }));
  await Promise.resolve();
  expect(asked).toEqual([]);

  hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));

  expect((await fleet).workers).toHaveLength(1);
  expect((await fleet).reporters.map(({ name }) => name)).toEqual(["new", "old"]);
  expect(asked).toEqual(["workers", "queues", "schedules"]);
});
