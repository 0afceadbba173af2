import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { Phase, TaskState } from "../client/types";
import { changesOf, longerBy, phasePairs } from "./compare";

test("values that differ are named by their place, in objects and in lists", () => {
  const before = { limit: 5, steps: [{ job: "a", params: { n: 1 } }, { job: "b" }], old: true, same: [1, 2] };
  const after = { limit: 50, steps: [{ job: "a", params: { n: 2 } }], same: [1, 2], fresh: null };

  const { changes, more, same } = changesOf(before, after);

  expect(changes).toEqual([
    { path: "limit", before: 5, after: 50 },
    { path: "steps.0.params.n", before: 1, after: 2 },
    { path: "steps.1", before: { job: "b" }, after: undefined },
    { path: "old", before: true, after: undefined },
    { path: "fresh", before: undefined, after: null },
  ]);
  expect([more, same]).toEqual([false, ["same"]]);
});

test("a value of another kind is one difference, and a name of the prototype is no value", () => {
  expect(changesOf({ a: [1] }, { a: { 0: 1 } }).changes).toEqual([{ path: "a", before: [1], after: { 0: 1 } }]);
  expect(changesOf({}, JSON.parse('{"__proto__": 1, "constructor": 2}')).changes.map(({ path }) => path)).toEqual([
    "__proto__",
    "constructor",
  ]);
  expect(changesOf("a", "b").changes).toEqual([{ path: "", before: "a", after: "b" }]);
  expect(changesOf({ a: { b: [1] } }, { a: { b: [1] } }).changes).toEqual([]);
});

test("what is hidden on both sides is neither the same nor different", () => {
  const mask = "[redacted]";
  const before = { host: "a", login: { name: "ada", password: mask }, url: `https://${mask}@db`, keys: [mask, 1], token: mask, pin: mask };
  const after = { host: "a", login: { name: "ada", password: mask }, url: `https://${mask}@db`, keys: [mask, 2], token: "clear" };

  const { changes, same, hidden } = changesOf(before, after);

  expect(hidden).toEqual({ both: ["login.password", "url", "keys.0"], one: ["token"] });
  expect(same).toEqual(["host"]);
  expect(changes).toEqual([
    { path: "keys.1", before: 1, after: 2 },
    { path: "pin", before: mask, after: undefined },
  ]);
  expect(changesOf(`https://${mask}@db`, `https://${mask}@other`).changes).toHaveLength(1);
});

test("of very many differences the first ones are shown", () => {
  const { changes, more } = changesOf({}, Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [n, n])));

  expect([changes.length, more]).toEqual([200, true]);
});

const phase = (phase_id: string, duration_seconds: number | null, error_count = 0): Phase => ({
  phase_id,
  status: duration_seconds === null ? "error" : "completed",
  message: "",
  processed_count: 0,
  total_count: null,
  error_count,
  eta_seconds: null,
  started_at: "2026-01-02T03:04:00Z",
  updated_at: "2026-01-02T03:04:07Z",
  duration_seconds,
  sequence: 1,
});
const state = (...phases: Phase[]): TaskState => ({
  ...NOTHING,
  task: { ...NOTHING.task, status: "SUCCESS", finished_at: "2026-01-02T03:04:09Z" },
  phases,
});

test("phases stand side by side in the order in which they ran, also those that only one run had", () => {
  const pairs = phasePairs(state(phase("read", 1), phase("check", 2), phase("send", 3)), state(phase("read", 4), phase("send", null, 2)), 0);

  expect(pairs.map(({ phase_id, before, after }) => [phase_id, before?.seconds, after?.seconds])).toEqual([
    ["read", 1, 4],
    ["check", 2, undefined],
    ["send", 3, 7],
  ]);
  expect(pairs[2]?.after).toEqual({ seconds: 7, state: "failed", errors: 2 });
});

test("a difference needs both times", () => {
  expect([longerBy(2, 5), longerBy(5, 2), longerBy(null, 5), longerBy(2, undefined)]).toEqual([3, -3, null, null]);
});

test("integers beyond 2^53 that a number could not tell apart are different, and equal ones are the same", () => {
  const { changes, same } = changesOf({ order: 9007199254740992n, of: [9007199254740993n] }, { order: 9007199254740993n, of: [9007199254740993n] });
  expect(changes).toEqual([{ path: "order", before: 9007199254740992n, after: 9007199254740993n }]);
  expect(same).toEqual(["of"]);
});
