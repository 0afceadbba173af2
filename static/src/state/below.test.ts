import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Below } from "../client/observed";
import type { Phase, Task, TaskState } from "../client/types";
import { failedOfRow, failedShort, stepsWords } from "./below";

const below = (tasks: number, open: number, failed: number, complete = true): Below => ({ tasks, open, failed, failures: [], complete });
const steps = [1, 2, 3, 4].map(() => ({ job_type: "kb" }));
const phase = (status: Phase["status"]): Phase => ({ phase_id: "x", status }) as Phase;

const orchestration = (status: Task["status"], phases: Phase["status"][]): TaskState => ({
  task: { ...NOTHING.task, status, job_type: "orchestrate", params: { steps } },
  phases: phases.map(phase),
  sequence: 1,
});

test.each<[TaskState, Below | null, string | null, string | null]>([
  [orchestration("STARTED", ["completed", "in_progress"]), below(2, 1, 0), "1 of 4 steps", null],
  [orchestration("STARTED", ["completed", "error", "active"]), below(3, 1, 1), "2 of 4 steps", "1 failed"],
  [orchestration("SUCCESS", ["completed", "error", "completed", "completed"]), below(4, 0, 1), null, "1 step failed"],
  [orchestration("SUCCESS", ["completed", "error", "completed", "completed"]), below(4, 0, 0), null, "1 step did not succeed"],
  [orchestration("FAILURE", ["completed", "error"]), below(2, 0, 1), "2 not reached", "1 step failed"],
  [orchestration("SUCCESS", ["completed", "completed", "completed", "completed"]), null, null, null],
])("an orchestration says how its steps get on", (state, known, done, failed) => {
  expect(stepsWords(state, known)).toEqual({ done, failed });
});

test.each<[Task["status"], Below | null, string | null, string | null]>([
  ["STARTED", below(12, 9, 1), "3 of 12 tasks below", "1 task below failed"],
  ["SUCCESS", below(12, 9, 2), null, "2 tasks below failed"],
  ["SUCCESS", below(1_001, 0, 2, false), null, "at least 2 tasks below failed"],
  ["STARTED", null, null, null],
])("another run says what is below it", (status, known, done, failed) => {
  const state = { task: { ...NOTHING.task, status }, phases: [], sequence: 1 };

  expect(stepsWords(state, known)).toEqual({ done, failed });
});

test("in short only failures are said", () => {
  expect([failedShort(below(4, 0, 2)), failedShort(below(4, 0, 0)), failedShort(null)]).toEqual(["2 failed", null, null]);
});

test("a row of a list says what failed below a run that looks well", () => {
  const row = (fields: Partial<Task>) => failedOfRow({ ...NOTHING.task, status: "SUCCESS", failed_below: 2, ...fields });

  expect([row({}), row({ job_type: "orchestrate", failed_below: 1 })]).toEqual(["2 tasks below failed", "1 step failed"]);
  expect([row({ status: "FAILURE" }), row({ failed_below: 0 })]).toEqual([null, null]);
});
