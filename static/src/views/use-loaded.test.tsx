// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { act, cleanup, renderHook } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import { useAnswer } from "./use-loaded";

const load = vi.fn<() => Promise<string>>();

beforeEach(() => {
  vi.useFakeTimers();
  load.mockReset();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const after = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

test("the reader is told after the second failure, and the value that was there stays", async () => {
  load.mockResolvedValueOnce("old").mockRejectedValue(new Problem(500, "The disk is full"));
  const { result, rerender } = renderHook(({ at }) => useAnswer(load, [at]), { initialProps: { at: 1 } });
  await after(0);
  expect(result.current).toEqual({ value: "old", problem: null });

  rerender({ at: 2 });
  await after(0);
  expect(result.current).toEqual({ value: "old", problem: null });
  await after(1_000);
  expect(result.current).toMatchObject({ value: "old", problem: { status: 500 } });
  load.mockResolvedValue("new");
  await after(2_000);
  expect(result.current).toEqual({ value: "new", problem: null });
});

test.each([401, 403, 404])("what is refused with %d is told at once, and not asked for again", async (status) => {
  load.mockRejectedValue(new Problem(status, "No"));
  const { result } = renderHook(() => useAnswer(load, []));

  await after(600_000);

  expect(result.current).toMatchObject({ value: null, problem: { status } });
  expect(load).toHaveBeenCalledTimes(1);
});

test("what is asked for at intervals is asked for until it is refused", async () => {
  load.mockResolvedValue("a");
  const { result } = renderHook(() => useAnswer(load, [], 15_000));
  await after(31_000);
  expect(load).toHaveBeenCalledTimes(3);

  load.mockRejectedValue(new Problem(403, "No"));
  await after(600_000);

  expect(load).toHaveBeenCalledTimes(4);
  expect(result.current).toMatchObject({ value: "a", problem: { status: 403 } });
});

test("a page that is left asks no more", async () => {
  load.mockRejectedValue(new Problem(503, "Busy"));
  const { unmount } = renderHook(() => useAnswer(load, []));
  await after(0);

  unmount();
  await after(600_000);

  expect(load).toHaveBeenCalledTimes(1);
});

test("soon after a change it is asked for once, also for changes during a request, but not for the first value", async () => {
  const changes = signal<string | null>(null);
  let answer: (value: string) => void = () => undefined;
  load.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
  renderHook(() => useAnswer(load, [], 60_000, changes));
  answer("a");
  await after(0);
  changes.value = "1";
  await after(10_000);
  expect(load).toHaveBeenCalledTimes(1);

  changes.value = "2";
  await after(1_000);
  changes.value = "3";
  await after(1_000);
  expect(load).toHaveBeenCalledTimes(2);
  changes.value = "4";
  await after(10_000);
  expect(load).toHaveBeenCalledTimes(2);
  answer("b");
  await after(2_000);
  expect(load).toHaveBeenCalledTimes(3);

  answer("c");
  await after(59_000);
  expect(load).toHaveBeenCalledTimes(3);
  await after(1_000);
  expect(load).toHaveBeenCalledTimes(4);
});
