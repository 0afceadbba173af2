import { expect, test } from "vitest";
import { entriesOf } from "./list-entries";

const made: Record<string, string> = { a: "2026-03-05T09:00", b: "2026-03-05T00:30", c: "2026-03-04T23:30", d: "2026-03-02T12:00", e: "2025-03-02T12:00" };
const at = (id: string): number => new Date(made[id] ?? "").getTime();
const now = new Date("2026-03-05T10:00").getTime();
const lines = (order: string[], open: Parameters<typeof entriesOf>[2] = new Map()): string[] =>
  entriesOf(order, at, open, now).map((entry) => (entry.kind === "day" ? entry.name : entry.kind === "run" ? `${"-".repeat(entry.level)}${entry.id}` : `note of ${entry.parent}`));

test("each day has a heading above its runs", () => {
  expect(lines([])).toEqual([]);
  expect(lines(["a", "b", "c", "d", "e"])).toEqual(["Today", "a", "b", "Yesterday", "c", "Monday 2 March", "d", "Sunday 2 March 2025", "e"]);
});

test("the steps of an unfolded run are below it, at any depth, with what is to be said of them", () => {
  const open = new Map([
    ["a", { ids: ["s", "t"], note: true }],
    ["t", { ids: ["u"], note: false }],
    ["x", { ids: ["y"], note: false }],
  ]);
  expect(lines(["a", "b"], open)).toEqual(["Today", "a", "-s", "-t", "--u", "note of a", "b"]);
});

test("a circle of tasks ends", () => {
  expect(lines(["a"], new Map([["a", { ids: ["a"], note: false }]])).length).toBeLessThan(20);
});
