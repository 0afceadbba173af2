import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Frames } from "./frames";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** How often it ran in a second of requests at every millisecond. */
function ranInASecond(much: boolean): number {
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => setTimeout(callback, 0));
  vi.stubGlobal("cancelAnimationFrame", clearTimeout);
  const work = vi.fn(() => much);
  const frames = new Frames(work);
  for (let at = 0; at < 1_000; at++) {
    frames.request();
    vi.advanceTimersByTime(1);
  }
  frames.cancel();
  return work.mock.calls.length;
}

test("runs ten times a second at most, and four after much", () => {
  const often = ranInASecond(false);
  const seldom = ranInASecond(true);
  expect(often).toBeGreaterThan(8);
  expect(often).toBeLessThanOrEqual(10);
  expect(seldom).toBe(4);
});

test("goes on where there are no frames", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  const work = vi.fn();
  new Frames(work).request();
  vi.advanceTimersByTime(250);
  expect(work).toHaveBeenCalledOnce();
});
