import { describe, expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { LogLine, Task, TaskError } from "../client/types";
import { beforeTitle, failedIn, failureOf, linesBefore } from "./failure";

const task = (fields: Partial<Task> = {}): Task => ({ ...NOTHING.task, status: "FAILURE", started_at: "2026-01-01T00:00:00Z", ...fields });
const error = (type: string, message: string): TaskError => ({ type, message, traceback: null });
const line = (sequence: number, message: string, more: Partial<LogLine> = {}): LogLine => ({
  sequence,
  timestamp: "2026-01-01T00:00:00Z",
  level: "INFO",
  message,
  component: null,
  phase: null,
  ...more,
});

test.each<[status: Task["status"], type: string, message: string, sentence: string, shown: string | null]>([
  ["FAILURE", "ValueError", "invoice 17 has no amount", "invoice 17 has no amount", "ValueError"],
  ["FAILURE", "KeyError", "'XAU'", "There is no key 'XAU'", "KeyError"],
  ["FAILURE", "ConnectionResetError", "ConnectionResetError", "Connection reset error", "ConnectionResetError"],
  ["FAILURE", "TaskFailed", "Validation failed", "Validation failed", null],
  ["FAILURE", "WorkerLost", "The worker that ran this task stopped answering", "The worker that ran this task stopped answering", "WorkerLost"],
  ["FAILURE", "BrokerUnavailable", "…", "Nothing has run: no worker could be told of this run", "BrokerUnavailable"],
  ["FAILURE", "TimeLimitExceeded", "TimeLimitExceeded(300,)", "It took longer than the 300 s that it may", "TimeLimitExceeded"],
  ["FAILURE", "SoftTimeLimitExceeded", "SoftTimeLimitExceeded()", "It took longer than it may", "SoftTimeLimitExceeded"],
  ["FAILURE", "SubtaskFailed", "Step 2 (artifact): no words", "Step 2, artifact, did not succeed: no words", "SubtaskFailed"],
  ["FAILURE", "ExitStatus", "exit status 3", "The command ended with exit status 3", "ExitStatus"],
  ["FAILURE", "constructor", "no words", "no words", "constructor"],
  ["FAILURE", "__proto__", "no words", "no words", "__proto__"],
  ["REVOKED", "Cancelled", "Cancelled", "This run was cancelled", null],
  ["REVOKED", "Cancelled", "Cancelled by ada", "Cancelled by ada", null],
  ["REVOKED", "Rejected", "Rejected by ada", "Rejected by ada", null],
  ["RETRY", "ConnectionError", "unreachable", "unreachable", "ConnectionError"],
])("of a run that is %s with %s, %s, the page says: %s", (status, type, message, sentence, shown) => {
  expect(failureOf(task({ status, error: error(type, message) }))).toMatchObject({ sentence, type: shown });
});

test("a run that goes on or has succeeded has no failure, also with the error of an earlier attempt", () => {
  for (const status of ["PENDING", "WAITING", "STARTED", "SUCCESS"] as const) {
    expect(failureOf(task({ status, error: error("E", "m") }))).toBeNull();
  }
  expect(failureOf(task())?.sentence).toBe("This run has failed and gave no reason");
});

test("who has cancelled a run stands in its log", () => {
  const cancelled = task({ status: "REVOKED", error: error("Cancelled", "Cancelled") });
  const said = line(3, "Cancel requested by ada@example.org", { component: "taskroom" });
  expect(failureOf(cancelled, [said])?.sentence).toBe("Cancelled by ada@example.org");
  expect(failureOf(cancelled, [{ ...said, component: null }])?.sentence).toBe("This run was cancelled");
});

describe("the lines before", () => {
  const lines = Array.from({ length: 14 }, (_, index) => line(index + 1, `line ${index + 1}`));
  const why = line(15, "Traceback", { level: "ERROR", component: "taskroom" });
  const late = line(16, "from a thread");

  test("are the last ten before the one of the failure, whatever comes after that", () => {
    const found = linesBefore([...lines, why, late, line(19, "of a later attempt")], task({ status_sequence: 18 }));
    expect(found.line).toBe(why);
    expect(found.before.map(({ sequence }) => sequence)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  test("of a run that was cancelled end with its last line", () => {
    const found = linesBefore(lines.slice(0, 3), task({ status: "REVOKED", status_sequence: 18 }));
    expect([found.line?.sequence, found.before.length]).toEqual([3, 3]);
    expect(linesBefore([], task({ status: "REVOKED" }))).toEqual({ line: null, before: [] });
  });

  test.each([
    [1, "The line before"],
    [4, "The 4 lines before"],
    [10, "The last ten lines before"],
  ])("%i have a title", (count, title) => expect(beforeTitle(count)).toBe(title));
});

test("a failure is in its phase, else between two, where there are any", () => {
  const phases = [{ phase_id: "load" }] as never;
  const of = (fields: Partial<Task>, phases: never) => failedIn({ task: task(fields), phases, sequence: 1 });
  expect(of({ error: { ...error("E", "m"), phase: "load" } }, phases)).toBe("load");
  expect(of({ error: error("E", "m") }, phases)).toBe("between phases");
  expect(of({ error: error("E", "m") }, [] as never)).toBeNull();
});
