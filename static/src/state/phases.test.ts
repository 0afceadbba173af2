import { describe, expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { JobType, Phase, Task, TaskState } from "../client/types";
import { declaredPhases, isOpen, nextPhase, phaseRows, phaseSpan, withSteps } from "./phases";

const AT = Date.parse("2025-01-01T00:00:00Z");
const time = (seconds: number): string => new Date(AT + 1_000 * seconds).toISOString();

const task = (fields: Partial<Task> = {}): Task => ({ ...NOTHING.task, job_type: "kb", status: "STARTED", ...fields });

const phase = (phase_id: string, fields: Partial<Phase> = {}): Phase => ({
  phase_id,
  status: "in_progress",
  message: "",
  processed_count: 0,
  total_count: null,
  error_count: 0,
  eta_seconds: null,
  started_at: time(0),
  updated_at: time(2),
  duration_seconds: null,
  sequence: 1,
  ...fields,
});

const state = (of: Task, ...phases: Phase[]): TaskState => ({ task: of, phases, sequence: 9 });
const statesOf = (of: Task, ...phases: Phase[]) => phaseRows(state(of, ...phases), []).map(({ state }) => state);

describe("the rows", () => {
  test("are those that began, then those that are declared", () => {
    const rows = phaseRows(state(task(), phase("b"), phase("extra")), ["a", "b", "c"]);

    expect(rows.map(({ phase_id, state }) => [phase_id, state])).toEqual([
      ["b", "running"],
      ["extra", "running"],
      ["a", "not begun"],
      ["c", "not begun"],
    ]);
  });

  test("of a run that ended are those that were reached, then those that were not", () => {
    const failed = task({ status: "FAILURE", started_at: time(0), error: { type: "E", message: "m", phase: "a" } });
    const rows = phaseRows(state(failed, phase("a", { status: "error" })), ["a", "b", "c"]);

    expect(rows.map(({ phase_id, state }) => [phase_id, state])).toEqual([
      ["a", "failed"],
      ["b", "not reached"],
      ["c", "not reached"],
    ]);
    const cancelled = phaseRows(state(task({ status: "REVOKED" })), ["a"]);
    expect(cancelled.map(({ state }) => state)).toEqual(["not reached"]);
  });

  test.each([
    [[], ["a"], ["before the first phase", "a"]],
    [["a"], ["a", "b"], ["a", "between phases", "b"]],
    [["a", "b"], ["a", "b"], ["a", "b", "after the last phase"]],
    [[], [], []],
  ])("of a run that failed outside of %j, of %j, have one for the failure", (begun, declared, shown) => {
    const failed = task({ status: "FAILURE", started_at: time(0), error: { type: "E", message: "m" } });
    const rows = phaseRows(state(failed, ...begun.map((id) => phase(id, { status: "completed" }))), declared);

    expect(rows.map(({ phase_id, between }) => between ?? phase_id)).toEqual(shown);
    expect(rows.filter(({ between }) => between).map(({ state }) => state)).toEqual(shown.length ? ["failed"] : []);
  });

  test("of a run that never began have none for its failure", () => {
    const undelivered = task({ status: "FAILURE", error: { type: "BrokerUnavailable", message: "m" } });

    expect(phaseRows(state(undelivered), ["a"]).map(({ state }) => state)).toEqual(["not reached"]);
  });

  test("of a run that succeeded hold nothing that was left out", () => {
    const rows = phaseRows(state(task({ status: "SUCCESS" }), phase("a", { status: "completed" })), ["a", "b"]);

    expect(rows.map(({ phase_id }) => phase_id)).toEqual(["a"]);
  });

  test.each([
    ["STARTED", "in_progress", "running"],
    ["STARTED", "error", "failed"],
    ["WAITING", "in_progress", "waiting"],
    ["PENDING", "in_progress", "waiting"],
    ["FAILURE", "error", "failed"],
    ["FAILURE", "in_progress", "stopped"],
    ["REVOKED", "error", "stopped"],
    ["REVOKED", "completed", "done"],
  ] as const)("of a task that is %s and a phase that is %s: %s", (status, of, state) => {
    expect(statesOf(task({ status }), phase("a", { status: of }))).toEqual([state]);
  });
});

test("the phases ahead are those of the job type, or the steps of what is made of others", () => {
  const types = [{ job_type: "kb", phases: ["a", "b"] }] as JobType[];
  const steps = [{ job_type: "artifact" }, { job_type: "kb" }];

  expect(declaredPhases(task(), types)).toEqual(["a", "b"]);
  expect(declaredPhases(task({ job_type: "gone" }), types)).toEqual([]);
  expect([declaredPhases(task(), null), declaredPhases(task(), new Problem(0, "away"))]).toEqual([[], []]);
  const plan = [{ phase_id: "learnt", weight: 1, seconds: 2 }];
  expect(declaredPhases(task({ job_type: "gone", plan }), types)).toEqual(["learnt"]);
  expect(declaredPhases(task({ plan }), types)).toEqual(["a", "b"]);
  expect(declaredPhases(task({ job_type: "orchestrate", params: { steps } }), types)).toEqual(["1_artifact", "2_kb"]);
});

test("what needs a look is open, what is done is closed, and what the reader chose stays", () => {
  expect((["running", "waiting", "failed", "stopped"] as const).map((of) => isOpen(of, undefined))).not.toContain(false);
  expect((["done", "not begun"] as const).map((of) => isOpen(of, undefined))).toEqual([false, false]);
  expect([isOpen("running", false), isOpen("done", true)]).toEqual([false, true]);
});

describe("a phase's time", () => {
  const span = (of: Task, fields: Partial<Phase>): number[] | undefined => {
    const [row] = phaseRows(state(of, phase("a", fields)), []);
    return row && phaseSpan(row, of, AT + 60_000)?.map((at) => (at - AT) / 1_000);
  };

  test("grows while it runs, and ends with its last event", () => {
    expect(span(task(), {})).toEqual([0, 60]);
    expect(span(task(), { status: "completed", duration_seconds: 1.5 })).toEqual([0, 2]);
  });

  test("ends with the run that was cut short", () => {
    expect(span(task({ status: "REVOKED", finished_at: time(7) }), {})).toEqual([0, 7]);
  });

  test("of a phase with only an end is known from its duration", () => {
    expect(span(task(), { status: "completed", started_at: null, duration_seconds: 1.5 })).toEqual([0.5, 2]);
    expect(span(task(), { status: "completed", started_at: null })).toBeUndefined();
  });
});

test("stepping goes through the phases that began, round both ends", () => {
  const rows = phaseRows(state(task(), phase("a"), phase("b")), ["c"]);

  expect([nextPhase(rows, null, 1), nextPhase(rows, "a", 1), nextPhase(rows, "b", 1)]).toEqual(["a", "b", "a"]);
  expect([nextPhase(rows, null, -1), nextPhase(rows, "b", -1), nextPhase(rows, "a", -1)]).toEqual(["b", "a", "b"]);
  expect(nextPhase([], null, 1)).toBeNull();
});

test("a step that waits for approval makes its phase wait", () => {
  const rows = phaseRows(state(task({ job_type: "orchestrate" }), phase("1_artifact"), phase("2_kb")), []);
  const children = [task({ job_type: "artifact" }), task({ job_type: "kb", status: "WAITING" })];

  expect(withSteps(rows, children).map(({ state }) => state)).toEqual(["running", "waiting"]);
});

test("a step that was cancelled as another one failed is not drawn as failed", () => {
  const failed = { status: "error" } as const;
  const rows = phaseRows(state(task({ job_type: "orchestrate", status: "FAILURE" }), phase("1_artifact", failed), phase("2_kb", failed)), []);
  const children = [task({ job_type: "artifact", status: "FAILURE" }), task({ job_type: "kb", status: "REVOKED" })];

  expect(withSteps(rows, children).map(({ state }) => state)).toEqual(["failed", "stopped"]);
});
