// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { TreePage } from "../client/tree";
import type { Phase, TaskState } from "../client/types";
import { Tree } from "../state/tree";
import { useTree } from "./use-tree";

const below = { tasks: 1, open: 1, failed: 0, failures: [], complete: true };
const api = { tree: vi.fn<() => Promise<TreePage>>() };
const state = (status: "STARTED" | "SUCCESS", ...phases: Partial<Phase>[]): TaskState =>
  ({ ...NOTHING, task: { ...NOTHING.task, job_type: "orchestrate", status }, phases }) as TaskState;

beforeEach(() => {
  vi.useFakeTimers();
  api.tree.mockReset().mockResolvedValue({ tasks: [], next: null, below });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const after = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

/** Nobody is signed in: no stream tells of what is below. */
const shown = (first: TaskState, everyMs: number | null) => {
  const tree = new Tree("root", api, { summary: () => ({ stop: () => undefined }) });
  return renderHook((now: TaskState) => useTree(tree, now, everyMs), { initialProps: first });
};

test("without a stream it is asked for at intervals, until all is over", async () => {
  const { rerender } = shown(state("STARTED"), 30_000);
  await after(61_000);
  expect(api.tree).toHaveBeenCalledTimes(3);

  api.tree.mockResolvedValue({ tasks: [], next: null, below: { ...below, open: 0 } });
  rerender(state("SUCCESS"));
  await after(0);
  await after(600_000);

  expect(api.tree).toHaveBeenCalledTimes(4);
});

test("a step that begins or ends is asked for at once", async () => {
  const { rerender } = shown(state("STARTED"), null);
  await after(0);
  rerender(state("STARTED", { phase_id: "1_a", status: "active", message: "" }));
  await after(0);
  expect(api.tree).toHaveBeenCalledTimes(2);

  await after(600_000);
  expect(api.tree).toHaveBeenCalledTimes(2);
});

test("what is refused is not asked for again", async () => {
  api.tree.mockRejectedValue(new Problem(404, "Not Found"));
  shown(state("STARTED"), 10_000);
  await after(0);

  await after(600_000);

  expect(api.tree).toHaveBeenCalledTimes(1);
});
