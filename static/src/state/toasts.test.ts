import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Notification } from "../client/types";
import { interrupts, isNew, Toasts } from "./toasts";

const note = (id: string, more: Partial<Notification> = {}): Notification =>
  ({ id, severity: "success", urgent: false, title: id, ...more }) as Notification;
const urgent = (id: string): Notification => note(id, { urgent: true, severity: "error" });
const ids = (toasts: Toasts): string[] => toasts.shown.value.map(({ id }) => id);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one that is not urgent goes after six seconds, each at its own time", () => {
  const toasts = new Toasts();
  toasts.add(note("a"));
  vi.advanceTimersByTime(4_000);
  toasts.add(note("b"));
  vi.advanceTimersByTime(1_999);
  expect(ids(toasts)).toEqual(["a", "b"]);
  vi.advanceTimersByTime(1);
  expect(ids(toasts)).toEqual(["b"]);
  vi.advanceTimersByTime(4_000);
  expect(ids(toasts)).toEqual([]);
});

test("the clock stops while the user reads", () => {
  const toasts = new Toasts();
  toasts.add(note("a"));
  vi.advanceTimersByTime(5_000);
  toasts.hold("pointer");
  toasts.hold("focus");
  vi.advanceTimersByTime(60_000);
  toasts.release("pointer");
  vi.advanceTimersByTime(60_000);
  expect(ids(toasts)).toEqual(["a"]);
  toasts.release("focus");
  vi.advanceTimersByTime(999);
  expect(ids(toasts)).toEqual(["a"]);
  vi.advanceTimersByTime(1);
  expect(ids(toasts)).toEqual([]);
});

test("urgent ones stay until closed, three at most, and the next one waits for room", () => {
  const toasts = new Toasts();
  for (const id of ["a", "b", "c", "d"]) toasts.add(urgent(id));
  toasts.add(note("passing"));
  vi.advanceTimersByTime(3_600_000);
  expect(ids(toasts)).toEqual(["a", "b", "c"]);
  toasts.remove(({ id }) => id === "b");
  expect(ids(toasts)).toEqual(["a", "c", "d"]);
});

test("a new one takes the place of the oldest that is not urgent", () => {
  const toasts = new Toasts();
  for (const one of [urgent("a"), note("b"), note("c"), note("d")]) toasts.add(one);
  expect(ids(toasts)).toEqual(["a", "c", "d"]);
});

test("the same one is shown once, also while it waits", () => {
  const toasts = new Toasts();
  for (const id of ["a", "b", "c", "d", "d", "a"]) toasts.add(urgent(id));
  toasts.remove(({ id }) => id === "a" || id === "b");
  expect(ids(toasts)).toEqual(["c", "d"]);
});

test("what interrupts: urgent, success and error, and nothing that a reconnect brings of the past", () => {
  const severities = (["info", "success", "warning", "error"] as const).filter((severity) =>
    interrupts(note("a", { severity })),
  );
  expect(severities).toEqual(["success", "error"]);
  expect(interrupts(note("a", { severity: "warning", urgent: true }))).toBe(true);
  expect(interrupts(note("a", { severity: "warning", related_type: "task" }))).toBe(true);
  const now = Date.parse("2026-01-01T00:01:00Z");
  expect(isNew("2026-01-01T00:00:59.5Z", now)).toBe(true);
  expect(isNew("2026-01-01T00:00:29.9Z", now)).toBe(false);
});

test("what goes under the pointer holds up none that comes later", () => {
  const toasts = new Toasts();
  toasts.add(note("a"));
  toasts.hold("pointer");
  toasts.remove(({ id }) => id === "a");
  toasts.add(note("b"));
  vi.advanceTimersByTime(6_000);
  expect(ids(toasts)).toEqual([]);
});
