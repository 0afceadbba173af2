// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TaskTimes } from "../client/taskLists";
import type { TaskEvent } from "../client/types";
import { StatusTally } from "../state/counts";
import { NO_FILTER } from "../state/filter";
import { FakeServer } from "../state/runs.fake";

const histogram = vi.fn(async (): Promise<TaskTimes> => ({ since: "", until: "", unit: "hour", times: [] }));
vi.mock("../state/app", () => ({ api: { histogram: () => histogram() } }));
const { RunHistogram } = await import("./run-histogram");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const after = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

test("it is loaded again soon after the counts have changed, once for many changes, and not after equal ones", async () => {
  const server = new FakeServer();
  const tally = new StatusTally(server.api, NO_FILTER);
  render(<RunHistogram filter={NO_FILTER} tally={tally} choose={() => undefined} />);
  await act(() => tally.load());
  await after(5_000);
  expect(histogram).toHaveBeenCalledTimes(1);

  const made = (sequence: number): TaskEvent => ({ type: "task_created", sequence, status: "PENDING" }) as TaskEvent;
  await act(() => [1, 2, 3].forEach((sequence) => tally.event(made(sequence))));
  await after(2_000);
  expect(histogram).toHaveBeenCalledTimes(2);

  server.tally.counts.PENDING = 3;
  server.tally.sequence = 3;
  await act(() => tally.load());
  await after(5_000);
  expect(histogram).toHaveBeenCalledTimes(2);
});
