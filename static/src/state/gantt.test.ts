import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Phase, Task, TaskState } from "../client/types";
import { axisLabel, stepFor } from "./axis";
import { gantt } from "./gantt";
import { phaseRows } from "./phases";

const AT = Date.parse("2025-01-01T00:00:00Z");
const time = (seconds: number): string => new Date(AT + 1_000 * seconds).toISOString();

const task = (fields: Partial<Task>): Task => ({ ...NOTHING.task, created_at: time(-5), started_at: time(0), ...fields });

const phase = (phase_id: string, from: number, to: number, status: Phase["status"] = "completed"): Phase =>
  ({ phase_id, status, started_at: time(from), updated_at: time(to), duration_seconds: null }) as Phase;

const drawn = (state: TaskState, children: Task[], now: number) =>
  gantt(state, phaseRows(state, []), children, AT + 1_000 * now);

test("bars lie where their phases were, and what runs reaches to now", () => {
  const state = { task: task({ status: "STARTED" }), phases: [phase("a", 0, 4), phase("b", 4, 5, "in_progress")], sequence: 1 };

  const { rows, ticks, from, to } = drawn(state, [], 16);

  expect(rows.map(({ name, left, width, tone }) => [name, left, width, tone])).toEqual([
    ["a", 0, 25, "ok"],
    ["b", 25, 75, "run"],
  ]);
  expect([from, to]).toEqual([AT, AT + 16_000]);
  expect(ticks).toEqual([
    { at: 0, label: "0" },
    { at: 31.25, label: "5 s" },
    { at: 62.5, label: "10 s" },
    { at: 93.75, label: "15 s" },
  ]);
});

test("a step is drawn as the task that it is", () => {
  const parent = task({ status: "STARTED", job_type: "orchestrate" });
  const state = { task: parent, phases: [phase("1_kb", 0, 1), phase("2_kb", 1, 1, "in_progress")], sequence: 1 };
  const child = task({ task_id: "c", job_type: "kb", title: "First", status: "FAILURE", finished_at: time(5) });

  const { rows } = drawn(state, [child], 10);

  expect(rows[0]).toMatchObject({ key: "1_kb", name: "First", taskId: "c", tone: "fail", word: "failed", width: 50 });
  expect(rows[1]).toMatchObject({ key: "2_kb", name: "2_kb", taskId: null });
});

test("a run of no length at all has no bar that is wider than the page", () => {
  const state = { task: task({ status: "SUCCESS", finished_at: time(0) }), phases: [phase("a", 0, 0)], sequence: 1 };

  expect(drawn(state, [], 0).rows[0]).toMatchObject({ left: 0, width: 0 });
});

test.each([
  [0.05, "0.05 s"],
  [30, "30 s"],
  [60, "1 m"],
  [90, "1:30"],
  [605, "10:05"],
  [3_600, "1 h"],
  [5_400, "1 h 30"],
  [86_400, "1 d"],
])("%d seconds on an axis are %s", (seconds, label) => {
  expect(axisLabel(seconds)).toBe(label);
});

test("steps are round however long the run is", () => {
  expect([0.2, 16, 61, 3_000, 40_000, 10_000_000].map((seconds) => stepFor(seconds, 4))).toEqual([
    0.05, 5, 30, 900, 21_600, 2_592_000,
  ]);
});
