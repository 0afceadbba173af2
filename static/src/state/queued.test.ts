import { expect, test } from "vitest";
import type { Queued } from "../client/fleet";
import { ordinal, queuedWords } from "./queued";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const HOLD = { by: "ada@example.org", since: "2026-11-30T11:48:00.000000Z" };

test("places are ordinal numbers", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 100, 111, 1_001].map(ordinal)).toEqual(
    ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "100th", "111th", "1,001st"],
  );
});

test.each<[Partial<Queued> & Pick<Queued, "reason">, RegExp]>([
  [{ reason: "queued", position: 3, slots: 4, busy: 4 }, /^3rd in the queue slow; all 4 slots are busy$/],
  [{ reason: "queued", position: 1, slots: 4, busy: 2 }, /^1st in the queue slow$/],
  [{ reason: "queued", position: 2, slots: 1, busy: 1 }, /^2nd in the queue slow; its only slot is busy$/],
  [{ reason: "queued", position: null }, /^far behind in the queue slow$/],
  [{ reason: "queued", depth: 12, slots: 4, busy: 4 }, /^in the queue slow, where 12 wait; all 4 slots are busy$/],
  [{ reason: "paused", hold: HOLD }, /^the queue slow is paused by ada@example.org since /],
  [{ reason: "drained", hold: { ...HOLD, by: null } }, /^all workers of the queue slow are drained, one by an operator since /],
  [{ reason: "no_worker", seen_at: null }, /^no worker takes from the queue slow$/],
  [{ reason: "no_worker", seen_at: "2026-11-30T11:58:00.000000Z" }, /^the queue slow has had no worker since .*, 2 min ago$/],
  [{ reason: "taken", worker: "shop@one", alive: true, seen_at: HOLD.since }, /^shop@one has taken it and not begun it yet$/],
  [
    { reason: "taken", worker: "shop@one", alive: false, seen_at: "2026-11-30T11:55:00.000000Z" },
    /^shop@one has taken it, and has not answered for 5 m 00 s; if it is gone, the broker gives the task out again in its own time$/,
  ],
  [{ reason: "at_cap", running: 2, most: 2 }, /^2 runs of the same owner go on, and one user may have 2 at a time$/],
  [{ reason: "later", due_at: "2026-11-30T12:10:00.000000Z" }, /^the next attempt is due at /],
])("%j", (queued, words) => {
  expect(queuedWords({ queue: "slow", ...queued }, NOW)).toMatch(words);
});
