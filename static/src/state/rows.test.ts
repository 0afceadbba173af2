import { expect, test } from "vitest";
import type { TaskEvent } from "../client/types";
import { errorsText, isOlder, rowAfterEvent, rowAfterPage, rowAfterStatusChange, rowOf } from "./rows";
import { task } from "./runs.fake";

const later = "2025-01-01T01:00:00.000000Z";
const changed = (previous: string, status: string): TaskEvent => ({
  type: "status_changed",
  sequence: 9,
  status,
  previous_status: previous,
  timestamp: later,
});

test("of its plan a row keeps the shares of the phases, whether a page or an event tells of it", () => {
  const planned = [{ phase_id: "a", weight: 0.9, seconds: 9 }, { phase_id: "b", weight: 0.1, seconds: 1 }];
  const shares = [{ phase_id: "a", weight: 0.9 }, { phase_id: "b", weight: 0.1 }];

  expect(rowOf(task(1, "STARTED", { plan: shares })).task.plan).toEqual(shares);
  const started = { type: "task_status", sequence: 5, status: "STARTED", plan: planned, timestamp: later } as const;
  expect(rowAfterEvent(rowOf(task(1, "PENDING")), started).task.plan).toEqual(shares);
  expect(rowOf(task(1, "PENDING")).task.plan).toBeNull();
});

test("a row keeps nothing that may be large", () => {
  const error = { type: "E", message: "m", traceback: "t".repeat(9) };
  const row = rowOf(task(1, "FAILURE", { result: { a: 1 }, error }));
  expect(row.task).toMatchObject({ params: null, result: null, error: { type: "E", message: "m" } });
  expect(row.task.error).not.toHaveProperty("traceback");
});

test("a change of status shows at once, and that the result is not known yet", () => {
  const started = rowAfterStatusChange(rowOf(task(1, "PENDING")), changed("PENDING", "STARTED"));
  expect(started.task).toMatchObject({ status: "STARTED", is_running: true, started_at: later });
  expect(started.complete).toBe(true);

  const ended = rowAfterStatusChange(started, changed("STARTED", "SUCCESS"));
  expect(ended.task).toMatchObject({ status: "SUCCESS", is_running: false, finished_at: later, progress: 100 });
  expect(ended.complete).toBe(false);
});

test("an event that the row is ahead of does not take it back", () => {
  const running = rowOf(task(1, "STARTED"));
  expect(rowAfterStatusChange(running, changed("PENDING", "WAITING"))).toBe(running);
  const over = rowOf(task(1, "FAILURE"));
  expect(rowAfterStatusChange(over, changed("STARTED", "SUCCESS"))).toBe(over);
});

test("the run's own events fold into the row, and its end completes it", () => {
  let row = rowAfterStatusChange(rowOf(task(1, "STARTED")), changed("STARTED", "FAILURE"));
  row = rowAfterEvent(row, { type: "phase_update", sequence: 5, phase_id: "a", status: "error", error_count: 2, timestamp: later });
  row = rowAfterEvent(row, { type: "phase_update", sequence: 6, phase_id: "b", status: "error", error_count: 3, timestamp: later });
  expect([errorsText(row), row.complete]).toEqual(["5 errors", false]);

  const error = { type: "E", message: "Why", traceback: "long" };
  row = rowAfterEvent(row, { type: "task_status", sequence: 7, status: "FAILURE", error, result: [1] });
  expect(row.task).toMatchObject({ error: { type: "E", message: "Why" }, result: null });
  expect(row.complete).toBe(true);
  expect(rowAfterEvent(row, { type: "task_status", sequence: 6, status: "STARTED" })).toBe(row);
});

test("a page that was asked for earlier does not take a row back", () => {
  const row = rowAfterEvent(rowOf(task(1, "STARTED")), { type: "phase_complete", sequence: 5, phase_id: "a", timestamp: later });
  expect(rowAfterPage(row, task(1, "STARTED"))).toBe(row);
  expect(rowAfterPage(row, task(1, "SUCCESS", { updated_at: "2025-01-01T01:00:01.000000Z" })).task.status).toBe("SUCCESS");
  const over = rowOf(task(1, "SUCCESS"));
  expect(rowAfterPage(over, task(1, "STARTED", { updated_at: later }))).toBe(over);
});

test("runs of the same moment are ordered by their ids, as the server does", () => {
  const same = { created_at: later };
  expect(isOlder(task(1), task(2))).toBe(true);
  expect(isOlder(task(2, "SUCCESS", same), task(1, "SUCCESS", same))).toBe(false);
  expect(isOlder(task(1, "SUCCESS", same), task(2, "SUCCESS", same))).toBe(true);
});

test.each([
  [{}, ""],
  [{ error_count: 698, error_lines: 100 }, "698 errors"],
  [{ error_count: 0, error_lines: 1 }, "1 error"],
  [{ error_count: 3, error_lines: 100 }, "100+ errors"],
])("a run that succeeded with %o shows %j", (more, text) => {
  expect(errorsText(rowOf(task(1, "SUCCESS", more)))).toBe(text);
});
