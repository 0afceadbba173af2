import { expect, test } from "vitest";
import type { ListedPhase } from "../client/types";
import { rowSegments, waitsBelow } from "./phase-bar";
import { rowAfterPage, rowOf } from "./rows";
import { task } from "./runs.fake";

const phase = (phase_id: string, status: ListedPhase["status"], error_count = 0): ListedPhase => ({
  ...{ phase_id, status, error_count, processed_count: 0, total_count: null },
  ...{ started_at: "2025-01-01T00:00:00Z", updated_at: "2025-01-01T00:00:01Z", duration_seconds: null },
});
const states = (...args: Parameters<typeof task>): string[] =>
  rowSegments(rowOf(task(...args)), [], 0).map(({ phase_id, state }) => `${phase_id} ${state}`);

test("the first run of a type, which has no plan, shows the phases that it has had", () => {
  const phases = [phase("read", "completed"), phase("write", "in_progress", 2)];
  expect(states(1, "STARTED", { phases })).toEqual(["read done", "write running"]);
  expect(states(1, "FAILURE", { phases: [phase("read", "completed"), phase("write", "error")], error: { type: "E", message: "m", phase: "write" } })).toEqual([
    "read done",
    "write failed",
  ]);
  expect(states(1, "STARTED")).toEqual([" running"]);
  const later = rowAfterPage(rowOf(task(1, "STARTED", { phases })), task(1, "STARTED", { phases: [phase("read", "completed"), phase("write", "completed")] }));
  expect(rowSegments(later, [], 0).map(({ state }) => state)).toEqual(["done", "done"]);
});

test("a step that waits for approval does not run; one beside it does", () => {
  const steps = [phase("1_echo", "completed"), phase("2_publish", "in_progress")];
  expect(states(1, "STARTED", { phases: steps, waiting_below: 1 })).toEqual(["1_echo done", "2_publish waiting"]);
  const parallel = [phase("1_echo", "in_progress"), phase("2_publish", "in_progress")];
  expect(states(1, "STARTED", { phases: parallel, waiting_below: 1 })).toEqual(["1_echo running", "2_publish running"]);
  expect(waitsBelow(task(1, "SUCCESS", { waiting_below: 1 }))).toBe(false);
});
