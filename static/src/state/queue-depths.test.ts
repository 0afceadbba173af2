import { expect, test } from "vitest";
import type { Queue } from "../client/fleet";
import { QueueDepths } from "./queue-depths";

const MINUTE = 60_000;
const queue = (depth: number, own = true, reporter: string | null = null): Queue => ({
  ...{ name: "slow", own, reporter, no_worker_since: null, depth, known_waiting: 0, oldest_wait_seconds: null, consumers: 1, slots: 4, busy: 0, workers: [], paused: null },
  ...{ seen_at: "2026-11-30T12:00:00Z", alive: true },
});

test("a queue that grows says by how many, and since when the page has seen it", () => {
  const depths = new QueueDepths();
  depths.add([queue(12)], 0);
  depths.add([queue(20)], 10_000);
  expect(depths.of(queue(20)).text).toBe("");

  depths.add([queue(40), queue(3, false)], 4 * MINUTE);

  expect(depths.of(queue(40))).toEqual({ points: "0.000,0.700 0.042,0.500 1.000,0.000", text: "28 more in 4 m 00 s", grows: true });
  expect(depths.of(queue(3, false)).points).toBe("");
});

test("one that shrinks does not grow, and what was long ago is forgotten", () => {
  const depths = new QueueDepths();
  depths.add([queue(100)], 0);
  depths.add([queue(9)], 2 * MINUTE);
  depths.add([queue(7)], 11 * MINUTE);

  expect(depths.of(queue(7))).toMatchObject({ text: "2 fewer in 9 m 00 s", grows: false });
});

test("queues of one name that two projects report are told apart", () => {
  const depths = new QueueDepths();
  depths.add([queue(5, false, "mill"), queue(7, false, "shop")], 0);
  depths.add([queue(5, false, "mill"), queue(9, false, "shop")], MINUTE);

  expect(depths.of(queue(5, false, "mill"))).toMatchObject({ text: "", grows: false });
  expect(depths.of(queue(9, false, "shop"))).toMatchObject({ text: "2 more in 1 m 00 s", grows: true });
});
