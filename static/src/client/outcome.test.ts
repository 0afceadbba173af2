import { expect, test } from "vitest";
import { isExpired, reasonOf } from "./outcome";
import type { TaskError } from "./types";

const revoked = (type: string, message: string) => ({ status: "REVOKED" as const, error: { type, message } satisfies TaskError });

test("a reason that only repeats the status is none", () => {
  expect(reasonOf(revoked("Cancelled", "Cancelled"))).toBeNull();
  expect(reasonOf(revoked("Cancelled", "Cancelled by a@example.org"))).toBe("Cancelled by a@example.org");
  expect(reasonOf({ status: "FAILURE", error: { type: "ValueError", message: "Cancelled" } })).toBe("ValueError: Cancelled");
  expect(reasonOf({ status: "SUCCESS", error: null })).toBeNull();
});

test("a task that nobody took in time has expired, one that was cancelled has not", () => {
  expect(isExpired(revoked("Expired", "No worker took it for 7 days"))).toBe(true);
  expect(isExpired(revoked("Cancelled", "It expired before a worker took it"))).toBe(true);
  expect(isExpired(revoked("Cancelled", "Cancelled by a@example.org"))).toBe(false);
  expect(isExpired({ ...revoked("TimeLimit", "The token has expired"), status: "FAILURE" as never })).toBe(false);
});
