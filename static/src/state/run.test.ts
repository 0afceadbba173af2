import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Api } from "../client/api";
import { NOTHING } from "../client/fold";
import type { Snapshot, TaskEvent } from "../client/types";
import type { Connection, Progress, TaskSink } from "../client/watch";
import type { LogSink } from "./log-source";
import { Run } from "./run";

let sink: TaskSink;
let progress: Progress;
let frame: () => void;
let run: Run;
const stop = vi.fn();
const connection = {
  task: (_: string, given: TaskSink) => {
    sink = given;
    return {
      stop,
      get progress() {
        return progress;
      },
    };
  },
} as unknown as Connection;

beforeEach(() => {
  progress = { kind: "loading" };
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => ((frame = callback), 1));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  run = new Run("t", { logs: async () => ({ logs: [], has_more: false }) } as unknown as Api, connection);
});
afterEach(() => run.stop());

const snapshot = (sequence: number, more: Partial<Snapshot> = {}): Snapshot => ({
  ...NOTHING,
  sequence,
  recent_logs: [],
  approval: null,
  ...more,
});
const event = (type: string, sequence: number, more = {}): TaskEvent => ({ type, sequence, timestamp: "", ...more });
const approval = { key: "deploy", title: "Deploy", risk_level: "high", estimated_cost: 2 } as const;

test("applies what came since the last frame at once, and hands on its log lines", () => {
  const append = vi.spyOn(run.log, "append");
  sink.snapshot(snapshot(5));
  sink.event(event("log", 6, { message: "one" }));
  sink.event(event("task_status", 7, { status: "STARTED" }));
  sink.event(event("log", 8, { message: "two" }));
  expect(run.state.value).toBeNull();
  frame();
  expect(run.state.value).toMatchObject({ sequence: 8, task: { status: "STARTED" } });
  const lines = [6, 8].map((sequence) => expect.objectContaining({ sequence }) as unknown);
  expect(append).toHaveBeenLastCalledWith(lines, 8);
});

test("a retry is a line of the log, in its place", () => {
  const append = vi.spyOn(run.log, "append");
  sink.snapshot(snapshot(5));
  sink.event(event("log", 6, { message: "one" }));
  const error = { type: "OSError", message: "away" };
  sink.event(event("task_status", 7, { status: "RETRY", retry_count: 1, retry_in_seconds: 3, error }));
  sink.event(event("log", 8, { message: "two" }));
  frame();
  const lines = append.mock.lastCall?.[0].map(({ sequence, message }) => [sequence, message]);
  expect(lines).toEqual([
    [6, "one"],
    [7, "OSError: away\nAttempt 2 follows in 3 s"],
    [8, "two"],
  ]);
});

test("a snapshot restarts the log after the lines before it", () => {
  const calls: unknown[] = [];
  const log: LogSink = run.log;
  vi.spyOn(log, "append").mockImplementation((lines, upTo) => void calls.push([lines.length, upTo]));
  vi.spyOn(log, "restart").mockImplementation((_, sequence) => void calls.push(sequence));
  sink.snapshot(snapshot(5));
  sink.event(event("log", 6));
  sink.snapshot(snapshot(40));
  sink.event(event("log", 41));
  frame();
  expect(calls).toEqual([5, [1, 6], 40, [1, 41]]);
});

test("what comes faster than it can be followed is applied more seldom", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const asked = vi.fn();
  sink.snapshot(snapshot(0));
  for (let sequence = 1; sequence <= 50; sequence++) sink.event(event("log", sequence, { message: "" }));
  frame();
  vi.stubGlobal("requestAnimationFrame", asked);
  sink.event(event("log", 51, { message: "" }));
  vi.advanceTimersByTime(249);
  expect(asked).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(asked).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

test("shows how the watch stands", () => {
  progress = { kind: "catching up", behind: 3 };
  sink.progress();
  frame();
  expect(run.progress.value).toEqual(progress);
});

test("holds what the task waits for", () => {
  sink.snapshot(snapshot(5));
  sink.event(event("approval_needed", 6, { ...approval, stream: "task:t" }));
  sink.event(event("task_status", 7, { status: "WAITING" }));
  frame();
  expect(run.approval.value).toEqual(approval);
  sink.event(event("log", 8));
  sink.event(event("approval_decided", 9, { key: "deploy", approved: true }));
  frame();
  expect(run.approval.value).toBeNull();
});

test("a snapshot brings what the task waits for, and a task that waits no longer waits for nothing", () => {
  sink.snapshot(snapshot(5, { approval }));
  frame();
  expect(run.approval.value).toEqual(approval);
  sink.event(event("task_status", 6, { status: "REVOKED" }));
  frame();
  expect(run.approval.value).toBeNull();
});
