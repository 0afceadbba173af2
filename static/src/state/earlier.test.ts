import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { RelatedRun } from "../client/related";
import type { Status, Task } from "../client/types";
import { barsOf, lastSuccess, usualText } from "./earlier";

const AT = Date.parse("2026-01-02T03:05:00Z");
const run = (task_id: string, status: Status, seconds: number | null): RelatedRun => ({
  task_id,
  title: "",
  status,
  created_at: "2026-01-02T03:00:00Z",
  started_at: "2026-01-02T03:00:00Z",
  finished_at: seconds === null ? null : new Date(Date.parse("2026-01-02T03:00:00Z") + 1_000 * seconds).toISOString(),
  retry_of: null,
  again_of: null,
});

test("bars are in the order of time, as high as the runs took long", () => {
  const bars = barsOf([run("d", "STARTED", null), run("c", "FAILURE", 150), run("b", "REVOKED", 75), run("a", "SUCCESS", 300)], AT);

  expect(bars.map(({ run: { task_id }, tone, height }) => [task_id, tone, height])).toEqual([
    ["a", "ok", 100],
    ["b", "off", 25],
    ["c", "fail", 50],
    ["d", "run", 100],
  ]);
  expect(bars[2]?.text).toMatch(/^failed after 2 m 30 s, /);
  expect(bars[3]?.text).toMatch(/^running for 5 m 00 s, /);
});

test("one run that took very long does not make all others flat, and is marked as cut", () => {
  const bars = barsOf([run("c", "SUCCESS", 10), run("b", "SUCCESS", 3_000), run("a", "SUCCESS", 10)], AT);

  expect(bars.map(({ height, cut }) => [Math.round(height), cut])).toEqual([
    [33, false],
    [100, true],
    [33, false],
  ]);
});

test("the last success is another run than this one", () => {
  const runs = [run("d", "SUCCESS", 1), run("c", "FAILURE", 1), run("b", "SUCCESS", 1), run("a", "SUCCESS", 1)];

  expect(lastSuccess(runs, "d")?.task_id).toBe("b");
  expect(lastSuccess(runs.slice(0, 2), "d")).toBeUndefined();
});

test("what is usual is said once enough runs are known", () => {
  const task: Task = { ...NOTHING.task, started_at: "2026-01-02T03:00:00Z", finished_at: "2026-01-02T03:00:26Z" };

  expect(usualText({ ...task, usual: { runs: 9, seconds: 24, p95_seconds: 41 } }, AT)).toBe("usually 24 s (p95 41 s), this one 26 s");
  expect(usualText({ ...task, usual: { runs: 2, seconds: 24, p95_seconds: 41 } }, AT)).toBe("this one 26 s");
  const waiting: Task = { ...task, status: "WAITING", started_at: null, finished_at: null, usual: null };
  expect(usualText(waiting, AT)).toBe("this one has not begun");
  expect(usualText({ ...waiting, status: "REVOKED" }, AT)).toBe("this one did not begin");
});
