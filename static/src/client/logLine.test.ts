import { expect, test } from "vitest";
import { isRetry, logLineOf } from "./logLine";
import type { TaskEvent } from "./types";

const retry = {
  type: "task_status",
  sequence: 7,
  timestamp: "2026-01-02T03:04:05.000000+00:00",
  status: "RETRY",
  retry_count: 1,
  retry_in_seconds: 3,
  error: { type: "ConnectionError", message: "no route", traceback: null },
} satisfies TaskEvent;

test("a retry is a line that says why and when, other changes of the status are none", () => {
  expect(logLineOf(retry)).toEqual({
    sequence: 7,
    timestamp: "2026-01-02T03:04:05.000000+00:00",
    level: "WARNING",
    message: "ConnectionError: no route\nAttempt 2 follows in 3 s",
    component: "taskroom",
    phase: null,
  });
  expect(logLineOf({ ...retry, error: null, retry_in_seconds: 0 })?.message).toBe("Attempt 2 follows");
  expect(logLineOf({ ...retry, retry_in_seconds: 0.1 + 0.2 })?.message).toContain("in 0.3 s");
  expect(logLineOf({ ...retry, status: "FAILURE" })).toBeNull();
  const { retry_count: _, ...changes } = retry;
  expect(logLineOf({ ...changes, can_retry: true }), "other fields of a task that waits").toBeNull();
});

test("a line of a retry is known among others", () => {
  const lines = [
    logLineOf(retry)!,
    { ...logLineOf(retry)!, message: "Attempt 12 follows" },
    { ...logLineOf(retry)!, message: "Cancel requested by a@example.org" },
    { ...logLineOf(retry)!, component: "shop" },
  ];

  expect(lines.map(isRetry)).toEqual([true, true, false, false]);
});
