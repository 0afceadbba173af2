import { expect, test } from "vitest";
import { errorText, reasonOf, specialWord } from "./outcome";
import { NOTHING } from "./fold";
import type { Task, TaskError } from "./types";

const revoked = (type: string, message: string) => ({ status: "REVOKED" as const, error: { type, message } satisfies TaskError });

test("a reason that only repeats the status is none", () => {
  expect(reasonOf(revoked("Cancelled", "Cancelled"))).toBeNull();
  expect(reasonOf(revoked("Cancelled", "Cancelled by a@example.org"))).toBe("Cancelled by a@example.org");
  expect(reasonOf({ status: "FAILURE", error: { type: "ValueError", message: "Cancelled" } })).toBe("ValueError: Cancelled");
  expect(reasonOf({ status: "SUCCESS", error: null })).toBeNull();
});

test("what type and message say alike is said once", () => {
  for (const message of ["Expired", "expired.", ""]) expect(errorText({ type: "Expired", message })).toBe("Expired");
  expect(errorText({ type: "Expired", message: "It was late" })).toBe("Expired: It was late");
  expect(reasonOf({ status: "FAILURE", error: { type: "Timeout", message: "timeout" } })).toBe("Timeout");
});

const task = (fields: Partial<Task>): Task => ({ ...NOTHING.task, ...fields });

test("a task that nobody took in time has expired, one that was cancelled has not", () => {
  expect(specialWord(task(revoked("Expired", "No worker took it for 7 days")))).toBe("expired");
  expect(specialWord(task(revoked("Cancelled", "It expired before a worker took it")))).toBe("expired");
  expect(specialWord(task(revoked("Cancelled", "Cancelled by a@example.org")))).toBeNull();
  expect(specialWord(task({ ...revoked("TimeLimit", "The token has expired"), status: "FAILURE" }))).toBeNull();
});

test("a task of which only children were reported is not reported, until it is", () => {
  const parent = { job_type: "unknown", observed: true, attempt: 0 };
  expect(specialWord(task({ ...parent, status: "PENDING" }))).toBe("not reported");
  expect(specialWord(task({ ...parent, ...revoked("NotReported", "Nothing was reported") }))).toBe("not reported");
  expect(specialWord(task({ ...parent, ...revoked("Cancelled", "Cancelled") }))).toBeNull();
  expect(specialWord(task({ ...parent, status: "STARTED", attempt: 1 }))).toBeNull();
  expect(specialWord(task({ ...parent, job_type: "shop.mail", status: "PENDING" }))).toBeNull();
});

test("a bulk action that changed no run has done nothing", () => {
  const bulk = { job_type: "bulk_action", status: "SUCCESS" as const };
  expect(specialWord(task({ ...bulk, current_phase_message: "nothing done, 10 refused" }))).toBe("nothing done");
  expect(specialWord(task({ ...bulk, current_phase_message: "302 started again, 698 refused" }))).toBeNull();
  expect(specialWord(task({ ...bulk, job_type: "export", current_phase_message: "nothing done" }))).toBeNull();
  expect(specialWord(task({ ...bulk, status: "STARTED", current_phase_message: "nothing done yet" }))).toBeNull();
});
