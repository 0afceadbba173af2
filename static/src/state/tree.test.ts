// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { NOTHING } from "../client/fold";
import { Problem } from "../client/problem";
import type { TreePage, TreeTask } from "../client/tree";
import type { TaskEvent } from "../client/types";
import type { Connection, UserSink } from "../client/watch";
import { Tree } from "./tree";

const task = (task_id: string, parent_id = "root", fields: Partial<TreeTask> = {}): TreeTask => ({
  ...NOTHING.task,
  task_id,
  parent_id,
  status: "STARTED",
  progress: 0,
  step: null,
  approval: null,
  children: { tasks: 0, ended: 0, failed: 0 },
  steps: null,
  ahead: null,
  ...fields,
});

/** A server with one page for each "parent cursor", and a connection whose events the test sends. */
function stage(pages: Record<string, TreePage>, signedIn = true) {
  const asked: string[] = [];
  const watched = new Map<string, (event: TaskEvent) => void>();
  const stream = { send: (_: Partial<TaskEvent>): void => undefined, refresh: (): void => undefined, stopped: false };
  const api = {
    tree: (parent: string, cursor = "") => {
      const key = `${parent} ${cursor}`.trim();
      asked.push(key);
      const page = pages[key];
      return page ? Promise.resolve(page) : Promise.reject(new Problem(500, "away"));
    },
  };
  const connection = {
    summary: (id: string, onEvent: (event: TaskEvent) => void) => {
      watched.set(id, onEvent);
      return { stop: () => watched.delete(id) };
    },
    user: ({ event, refresh }: UserSink) => {
      stream.refresh = refresh;
      stream.send = (given) => event({ sequence: 1, ...given } as TaskEvent);
      return { stop: () => void (stream.stopped = true) };
    },
  };
  const { user: _, ...withoutUser } = connection;
  const tree = new Tree("root", api, (signedIn ? connection : withoutUser) as unknown as Connection);
  const statusOf = (id: string) => tree.nodes.get(id)?.row.value.task.status;
  return { tree, asked, watched, stream, pages, statusOf };
}

const below = { tasks: 3, open: 1, failed: 0, failures: [], complete: true };
const page = (...tasks: TreeTask[]): TreePage => ({ tasks, next: null, below });

test("one answer brings several levels, in the order of the server", async () => {
  const { tree } = stage({ root: page(task("b"), task("a"), task("c", "a"), task("d", "c")) });

  await tree.load();

  expect(tree.idsOf("root")).toEqual(["b", "a"]);
  expect([tree.idsOf("a"), tree.idsOf("c"), tree.idsOf("d")]).toEqual([["c"], ["d"], []]);
  expect(tree.below.value?.tasks).toBe(3);
});

test("what comes after the run and after a task of it is known", async () => {
  const parts = [{ step: 1, job_type: "next", task_id: "n" }];
  const { tree, pages } = stage({ root: { ...page(task("a", "root", { ahead: parts })), ahead: parts } });
  await tree.load();
  expect([tree.ahead.value, tree.nodes.get("a")?.about.value.ahead]).toEqual([parts, parts]);

  pages.root = page(task("a"));
  await tree.load();

  expect([tree.ahead.value, tree.nodes.get("a")?.about.value.ahead]).toEqual([null, null]);
});

test("more children come page by page, and none twice", async () => {
  const { tree, asked } = stage({
    root: { ...page(task("a")), next: "x" },
    "root x": { tasks: [task("a"), task("b")], next: null },
  });
  await tree.load();
  expect(tree.hasMore("root")).toBe(true);

  await tree.more("root");
  await tree.more("root");

  expect(tree.idsOf("root")).toEqual(["a", "b"]);
  expect(tree.hasMore("root")).toBe(false);
  expect(asked).toEqual(["root", "root x"]);
});

test("a task whose first children came with those above says that there are more, and loads them", async () => {
  const many = { children: { tasks: 3, ended: 0, failed: 0 } };
  const { tree } = stage({ root: page(task("a", "root", many), task("c", "a")), a: page(task("c", "a"), task("d", "a"), task("e", "a")) });
  await tree.load();
  expect(tree.hasMore("a")).toBe(true);

  await tree.more("a");

  expect(tree.idsOf("a")).toEqual(["c", "d", "e"]);
  expect(tree.hasMore("a")).toBe(false);
});

test("a task that is made, and one that ends, are asked for again soon, once for many events", async () => {
  vi.useFakeTimers();
  const { tree, asked, stream, pages, statusOf } = stage({ root: page(task("a")) });
  await tree.load();

  pages.root = page(task("a"), task("b", "a"));
  stream.send({ type: "task_created", task_id: "x", parent_id: "elsewhere" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual(["root"]);
  for (const id of ["b", "c"]) stream.send({ type: "task_created", task_id: id, parent_id: "a" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual(["root", "root"]);
  expect(tree.idsOf("a")).toEqual(["b"]);

  pages.root = page(task("a", "root", { status: "SUCCESS", updated_at: "2" }), task("b", "a"));
  stream.send({ type: "status_changed", task_id: "a", status: "SUCCESS", previous_status: "STARTED", timestamp: "2" });
  expect(statusOf("a")).toBe("SUCCESS");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual(["root", "root", "root"]);
  vi.useRealTimers();
});

test("a failure further below is heard of by the user's stream", async () => {
  vi.useFakeTimers();
  const { tree, asked, stream } = stage({ root: page(task("a")) });
  await tree.load();

  stream.send({ type: "status_changed", task_id: "deep", status: "SUCCESS" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveLength(1);
  stream.send({ type: "status_changed", task_id: "deep", status: "FAILURE" });
  await vi.advanceTimersByTimeAsync(1_000);

  expect(asked).toHaveLength(2);
  vi.useRealTimers();
});

test("of the rows that are drawn, those that run are live", async () => {
  vi.useFakeTimers();
  const { tree, watched, statusOf } = stage({ root: page(task("a"), task("b", "root", { status: "SUCCESS" }), task("c")) });
  await tree.load();

  tree.shown(["a", "b"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([...watched.keys()]).toEqual(["a"]);
  watched.get("a")?.({ type: "task_status", sequence: 9, status: "FAILURE", progress: 12 });
  await vi.advanceTimersByTimeAsync(1_000);

  expect(statusOf("a")).toBe("FAILURE");
  expect(watched.size).toBe(0);
  vi.useRealTimers();
});

test("where nobody is signed in, the end of a row that is drawn lets ask for what comes next", async () => {
  vi.useFakeTimers();
  const { tree, asked, watched, pages } = stage({ root: page(task("a")) }, false);
  await tree.load();
  tree.shown(["a"]);
  await vi.advanceTimersByTimeAsync(1_000);

  pages.root = page(task("a", "root", { status: "SUCCESS" }), task("b"));
  watched.get("a")!({ type: "task_status", sequence: 2, status: "SUCCESS" });
  await vi.advanceTimersByTimeAsync(2_000);

  expect(asked).toEqual(["root", "root"]);
  expect(tree.idsOf("root")).toEqual(["a", "b"]);
  tree.stop();
  vi.useRealTimers();
});

test("an answer to an older question does not undo a newer one, and a refusal leaves what was known", async () => {
  const { tree, pages } = stage({ root: page(task("a")) });
  const older = tree.load();
  pages.root = page(task("a"), task("b"));
  await Promise.all([tree.load(), older]);
  expect(tree.idsOf("root")).toEqual(["a", "b"]);

  delete pages.root;
  await tree.load();

  expect(tree.idsOf("root")).toEqual(["a", "b"]);
  expect(tree.problem.value?.status).toBe(500);
});

test("where events may have been missed, all that is shown is asked for again", async () => {
  vi.useFakeTimers();
  const { tree, asked, stream, pages } = stage({ root: { ...page(task("a")), next: "x" }, "root x": page(task("b")) });
  stream.refresh();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked, "nothing is shown yet").toEqual([]);
  await tree.load();
  await tree.more("root");
  asked.length = 0;

  pages["root x"] = page(task("b"), task("c"));
  stream.refresh();
  await vi.advanceTimersByTimeAsync(1_000);

  expect(asked).toEqual(["root", "root x"]);
  expect(tree.idsOf("root")).toEqual(["a", "b", "c"]);
  vi.useRealTimers();
});

test("more children that could not be loaded can be asked for again", async () => {
  const { tree, pages } = stage({ root: { ...page(task("a")), next: "x" } });
  await tree.load();

  await tree.more("root");
  expect([tree.hasMore("root"), tree.problem.value?.status]).toEqual([true, 500]);
  pages["root x"] = page(task("b"));
  await tree.more("root");

  expect(tree.idsOf("root")).toEqual(["a", "b"]);
  expect(tree.hasMore("root")).toBe(false);
  tree.stop();
});

test("what a server away could not answer is asked for again by itself, until the tree is left", async () => {
  vi.useFakeTimers();
  const { tree, asked, pages } = stage({});
  await tree.load();
  expect(tree.problem.value?.status).toBe(500);

  pages.root = page(task("a"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect([tree.idsOf("root"), tree.problem.value]).toEqual([["a"], null]);

  delete pages.root;
  await tree.load();
  tree.stop();
  asked.length = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual([]);
  vi.useRealTimers();
});

test("stopping ends all", async () => {
  const { tree, stream, watched } = stage({ root: page(task("a")) });
  await tree.load();

  tree.stop();

  expect([stream.stopped, watched.size]).toEqual([true, 0]);
});
