import { expect, test } from "vitest";
import { NOTHING } from "./fold";
import { phaseRows } from "./phaseRows";
import { namedRows, segmentsOf } from "./segments";
import type { Phase, Task } from "./types";

const AT = Date.parse("2026-01-01T00:00:00Z");
const time = (seconds: number): string => new Date(AT + 1_000 * seconds).toISOString();
const task = (fields: Partial<Task>): Task => ({ ...NOTHING.task, job_type: "kb", status: "STARTED", started_at: time(0), ...fields });
const phase = (phase_id: string, fields: Partial<Phase>): Phase => ({
  phase_id,
  status: "in_progress",
  message: "",
  processed_count: 0,
  total_count: null,
  error_count: 0,
  eta_seconds: null,
  started_at: time(0),
  updated_at: time(1),
  duration_seconds: null,
  sequence: 1,
  ...fields,
});
const plan = (...weights: number[]) => weights.map((weight, n) => ({ phase_id: "abcd"[n]!, weight, seconds: 100 * weight }));

function bar(of: Task, phases: Phase[], names: string[], percent: number | null = null, at = AT) {
  return segmentsOf(of, phaseRows({ task: of, phases, sequence: 9 }, names), percent, at);
}

test("segments are as wide as the shares of earlier runs, and none is too narrow to be seen", () => {
  const widths = bar(task({ plan: plan(0.5, 0.495, 0.005) }), [phase("a", {})], ["a", "b", "c"]).map(({ share }) => share);

  expect(widths.map((share) => Math.round(100 * share))).toEqual([45, 45, 10]);
  expect(widths.reduce((sum, share) => sum + share)).toBeCloseTo(1);
});

test("without earlier runs all are equal", () => {
  expect(bar(task({}), [phase("a", {})], ["a", "b"]).map(({ share }) => share)).toEqual([0.5, 0.5]);
});

test("a phase is as far as it counts, or as its time goes, and never as it is not known", () => {
  const of = task({ plan: plan(0.5, 0.5) });

  expect(bar(of, [phase("a", { processed_count: 3, total_count: 4 })], ["a", "b"]).map(({ done }) => done)).toEqual([0.75, 0]);
  expect(bar(of, [phase("a", {})], ["a", "b"], null, AT + 25_000).map(({ done }) => done)).toEqual([0.5, 0]);
  expect(bar(of, [phase("a", {})], ["a", "b"], null, AT + 900_000)[0]?.done).toBe(0.95);
  expect(bar(task({}), [phase("a", {})], ["a", "b"])[0]?.done).toBeNull();
});

test("a run without phases is one segment", () => {
  expect(bar(task({}), [], [], 40)).toEqual([{ phase_id: "", state: "running", share: 1, done: 0.4, errors: 0 }]);
  expect(bar(task({}), [], [])[0]?.done).toBeNull();
  expect(bar(task({ status: "SUCCESS" }), [], [], 100)[0]).toMatchObject({ state: "done", done: 1 });
});

test.each([
  ["FAILURE", ["done", "done", "failed"]],
  ["REVOKED", ["done", "done", "stopped"]],
  ["STARTED", ["done", "done"]],
  ["SUCCESS", ["done", "done"]],
] as [Task["status"], string[]][])("a run that is %s after its last phase is %j", (status, states) => {
  const of = bar(task({ status }), [phase("a", { status: "completed" }), phase("b", { status: "completed" })], ["a", "b"]);

  expect(of.map(({ state }) => state)).toEqual(states);
  expect(of.length === 2 || (of[2]?.share ?? 1) < 0.1).toBe(true);
});

test("a run that waits before its first phase waits for it", () => {
  const states = (of: Task, phases: Phase[] = []) => bar(of, phases, ["a", "b"]).map(({ state }) => state);

  expect(states(task({ status: "WAITING", started_at: null }))).toEqual(["waiting", "not begun"]);
  expect(states(task({ status: "WAITING" }), [phase("a", {})])).toEqual(["waiting", "not begun"]);
  expect(states(task({ status: "PENDING", started_at: null }))).toEqual(["not begun", "not begun"]);
});

test.each([
  [{ current_phase: "b" }, ["done", "running", "not begun"]],
  [{ current_phase: "b", status: "WAITING" }, ["done", "waiting", "not begun"]],
  [{ current_phase: "b", status: "FAILURE" }, ["done", "failed", "not reached"]],
  [{ current_phase: "c", status: "FAILURE", error: { type: "E", message: "m", phase: "b" } }, ["done", "failed", "not reached"]],
  [{ current_phase: "b", status: "REVOKED" }, ["done", "stopped", "not reached"]],
  [{ current_phase: null }, ["not begun", "not begun", "not begun"]],
  [{ current_phase: null, status: "FAILURE" }, []],
  [{ current_phase: "c", status: "SUCCESS" }, []],
] as [Partial<Task>, string[]][])("in a list, where only names are known, %o is %j", (fields, states) => {
  const of = task(fields);
  const rows = namedRows(of, phaseRows({ task: of, phases: [], sequence: 9 }, ["a", "b", "c"]), ["a", "b", "c"]);

  expect(rows.map(({ state }) => state)).toEqual(states);
});

test("in a list of runs without named phases those that are done come first", () => {
  const of = task({ current_phase: "b" });
  const rows = phaseRows({ task: of, phases: [phase("b", {}), phase("a", { status: "completed" })], sequence: 9 }, []);

  expect(namedRows(of, rows, []).map(({ phase_id, state }) => [phase_id, state])).toEqual([["a", "done"], ["b", "running"]]);
});

test("what a list has of a phase by its events is kept", () => {
  const of = task({ current_phase: "b" });
  const known = [phase("b", { processed_count: 1, total_count: 2, error_count: 3 })];
  const rows = namedRows(of, phaseRows({ task: of, phases: known, sequence: 9 }, ["a", "b", "c"]), ["a", "b", "c"]);

  expect(segmentsOf(of, rows, null, AT).map(({ done, errors }) => [done, errors])).toEqual([[1, 0], [0.5, 3], [0, 0]]);
});
