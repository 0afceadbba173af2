import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Task } from "../client/types";
import { axisOf, piecesOf } from "./spans";

const AT = Date.parse("2025-01-01T00:00:00Z");
const time = (seconds: number): string => new Date(AT + 1_000 * seconds).toISOString();

const task = (fields: Partial<Task>): Task => ({ ...NOTHING.task, status: "STARTED", created_at: time(2), ...fields, retry_count: fields.retry_count ?? 0 });

const pieces = (fields: Partial<Task>): string => piecesOf(task(fields), AT).map(({ kind, from, to }) => `${kind} ${from}-${to ?? ""}`).join(", ");

test.each<[string, Partial<Task>, string]>([
  ["waits for a worker", { status: "PENDING" }, "queued 2-"],
  ["waits for a person", { status: "WAITING" }, "asks 2-"],
  ["runs", { started_at: time(5) }, "queued 2-5, runs 5-"],
  ["has ended", { status: "SUCCESS", started_at: time(5), finished_at: time(9) }, "queued 2-5, runs 5-9"],
  ["ended before it began", { status: "REVOKED", finished_at: time(9) }, "queued 2-9"],
  ["asks while it runs", { status: "WAITING", started_at: time(2), updated_at: time(6) }, "runs 2-6, asks 6-"],
  ["waits for its next attempt", { status: "RETRY", started_at: time(2), updated_at: time(4), retry_count: 1 }, "runs 2-4, pauses 4-"],
  ["runs again", { started_at: time(2), attempt_started_at: time(7), retry_count: 1 }, "before 2-7, runs 7-"],
  ["took no time", { status: "SUCCESS", started_at: time(2), finished_at: time(2) }, "runs 2-2"],
])("the bar of a task that %s", (_, fields, expected) => {
  expect(pieces(fields)).toBe(expected);
});

test.each<[string, Partial<Task>, [number, number | null][], string]>([
  ["before it began", { status: "SUCCESS", started_at: time(9), finished_at: time(12) }, [[2, 8]], "asks 2-8, queued 8-9, runs 9-12"],
  ["while it ran", { status: "SUCCESS", started_at: time(3), finished_at: time(12) }, [[5, 8]], "queued 2-3, runs 3-5, asks 5-8, runs 8-12"],
  ["twice, and runs", { started_at: time(2) }, [[3, 4], [6, 7]], "runs 2-3, asks 3-4, runs 4-6, asks 6-7, runs 7-"],
  ["until it was cancelled", { status: "REVOKED", finished_at: time(9) }, [[2, null]], "asks 2-9"],
  ["and still does", { status: "WAITING" }, [[2, null]], "asks 2-"],
  ["and a newer status says that it runs", { started_at: time(2) }, [[3, null]], "runs 2-"],
])("the time in which a task waited for approval stays marked: %s", (_, fields, waits, expected) => {
  const given = waits.map(([asked, decided]) => [time(asked), decided && time(decided)] as [string, string | null]);
  const found = piecesOf(task(fields), AT, given).map(({ kind, from, to }) => `${kind} ${from}-${to ?? ""}`);
  expect(found.join(", ")).toBe(expected);
});

test("the axis has the run and all that is shown, and is open while one goes on", () => {
  const root = task({ status: "SUCCESS", started_at: time(3), finished_at: time(6) });
  const ended = task({ status: "SUCCESS", created_at: time(4), finished_at: time(10) });

  expect(axisOf(root, [ended])).toEqual({ from: AT + 3_000, until: AT + 10_000, open: false });
  expect(axisOf(root, [task({})])).toEqual({ from: AT + 2_000, until: AT + 6_000, open: true });
});
