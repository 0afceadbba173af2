import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { Task } from "../client/types";
import { Palette, type Entry } from "./palette";

const LOCAL: readonly Entry[] = [
  { id: "recent /runs/1", group: "Recent", name: "Nightly export", about: "export", to: "/runs/1" },
  { id: "do Run again", group: "Actions", name: "Run again", run: () => {} },
  { id: "/", group: "Pages", name: "All runs", to: "/", keys: "g r" },
  { id: "job export", group: "Jobs", name: "export", to: "/jobs/export" },
];
const task = (id: string, title: string): Task => ({ task_id: id, job_type: "export", title, status: "SUCCESS", trigger: null }) as Task;

let asked: { q?: string | undefined; scope?: string | undefined }[];
let answer: () => Promise<{ tasks: Task[]; next: null }>;
let palette: Palette;
const everywhere = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answer = () => Promise.resolve({ tasks: [task("1", "Nightly export"), task("2", "Export of May")], next: null });
  const tasks = (filter: { q?: string | undefined; scope?: string | undefined }) => (asked.push(filter), answer());
  palette = new Palette(() => LOCAL, { tasks }, "tenant", everywhere);
});
afterEach(() => vi.useRealTimers());

const ids = (): string[] => palette.entries.value.map(({ id }) => id);

test("with nothing typed the recent pages come first, and the server is not asked", () => {
  palette.type("");
  expect(ids()).toEqual(["recent /runs/1", "do Run again", "/", "job export"]);
  expect(palette.active.value?.id).toBe("recent /runs/1");
  vi.runAllTimers();
  expect(asked).toEqual([]);
});

test("runs of the server follow what is known, each once, and the list of all comes last", async () => {
  palette.type("exp");
  expect(ids()).toEqual(["recent /runs/1", "job export", "all"]);
  expect(palette.isSearching.value).toBe(true);
  await vi.runAllTimersAsync();
  expect(asked).toEqual([{ q: "exp", scope: "tenant" }]);
  expect(ids()).toEqual(["recent /runs/1", "job export", "/runs/1", "/runs/2", "all"].filter((id) => id !== "/runs/1"));
  expect(palette.isSearching.value).toBe(false);
});

test("an answer to an earlier text is dropped, and quick typing asks once", async () => {
  palette.type("ex");
  palette.type("exp");
  let answered: (page: { tasks: Task[]; next: null }) => void = () => {};
  answer = () => new Promise((resolve) => (answered = resolve));
  await vi.advanceTimersByTimeAsync(150);
  expect(asked).toHaveLength(1);
  palette.type("zzz");
  answered({ tasks: [task("9", "late")], next: null });
  await vi.advanceTimersByTimeAsync(0);
  expect(ids()).toEqual(["all"]);
});

test("the mark stays on its entry when others come before it, and begins again after the last one", async () => {
  palette.type("exp");
  palette.step(-1);
  expect(palette.active.value?.id).toBe("all");
  await vi.runAllTimersAsync();
  expect(palette.active.value?.id).toBe("all");
  palette.step(1);
  expect(palette.active.value?.id).toBe("recent /runs/1");
  palette.leap(8);
  expect(palette.active.value?.id).toBe("all");
});

test("the sign of an id is no part of it, and the last entry searches everywhere", async () => {
  palette.type("#0a1b");
  await vi.runAllTimersAsync();
  expect(asked[0]?.q).toBe("0a1b");
  palette.entries.value.at(-1)?.run?.();
  expect(everywhere).toHaveBeenCalledWith("#0a1b");
});

test("without the server the rest is there, with the reason", async () => {
  answer = () => Promise.reject(new Problem(0, "The server does not answer"));
  palette.type("exp");
  await vi.runAllTimersAsync();
  expect(palette.problem.value?.title).toBe("The server does not answer");
  expect(ids()).toEqual(["recent /runs/1", "job export", "all"]);
  palette.type("expo");
  expect(palette.problem.value).toBeNull();
});
