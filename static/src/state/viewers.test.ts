// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import { Viewers } from "./viewers";

let asked = 0;
let answer: () => Promise<number>;
let hidden = false;

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  hidden = false;
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function watching(count: number): Viewers {
  answer = () => Promise.resolve(count);
  return new Viewers("t", { viewers: () => (asked++, answer()) } as unknown as Api);
}

const show = (shown: boolean): void => {
  hidden = !shown;
  document.dispatchEvent(new Event("visibilitychange"));
};

test("it is asked at once and then every fifteen seconds or so", async () => {
  const viewers = watching(3);
  await viewers.load();
  expect([viewers.count.value, asked]).toEqual([3, 1]);

  await vi.advanceTimersByTimeAsync(31_000);

  expect(asked).toBe(3);
  viewers.stop();
});

test("each of a crowd asks more seldom, so that all together do not ask more often", async () => {
  const viewers = watching(10_000);
  await viewers.load();

  await vi.advanceTimersByTimeAsync(1_000_000);

  expect(asked).toBe(1);
  viewers.stop();
});

test("a hidden page does not load, and loads when it is shown again", async () => {
  const viewers = watching(1);
  await viewers.load();
  show(false);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toBe(1);

  show(true);
  await vi.advanceTimersByTimeAsync(0);

  expect(asked).toBe(2);
  viewers.stop();
});

test("without an answer nothing is shown, and it is loaded again", async () => {
  const viewers = watching(2);
  await viewers.load();
  answer = () => Promise.reject(new Error("away"));
  await vi.advanceTimersByTimeAsync(16_000);
  expect([viewers.count.value, asked]).toEqual([null, 2]);

  answer = () => Promise.resolve(5);
  await vi.advanceTimersByTimeAsync(16_000);

  expect(viewers.count.value).toBe(5);
  viewers.stop();
});

test("who may not see the task any more does not ask again", async () => {
  const viewers = watching(2);
  await viewers.load();
  answer = () => Promise.reject(new Problem(404, "Not Found"));
  await vi.advanceTimersByTimeAsync(16_000);

  await vi.advanceTimersByTimeAsync(600_000);
  show(true);

  expect([viewers.count.value, asked]).toEqual([null, 2]);
});

test("when it is stopped an answer that is under way changes nothing, and none is asked for", async () => {
  const viewers = watching(4);
  const asking = viewers.load();
  viewers.stop();
  await asking;
  show(true);
  await vi.advanceTimersByTimeAsync(60_000);

  expect([viewers.count.value, asked]).toEqual([null, 1]);
});
