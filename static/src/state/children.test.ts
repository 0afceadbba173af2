import { expect, test, vi } from "vitest";
import type { Api } from "../client/api";
import { NOTHING } from "../client/fold";
import type { Below } from "../client/observed";
import { Problem } from "../client/problem";
import type { Task, TaskEvent } from "../client/types";
import type { Connection, UserSink } from "../client/watch";
import { ChildTasks } from "./children";

const task = (task_id: string, fields: Partial<Task> = {}): Task => ({
  ...NOTHING.task,
  task_id,
  status: "STARTED",
  progress: 0,
  ...fields,
});

/** A server whose list is `tasks`, newest first, and a connection whose events the test sends. */
function server(...tasks: Task[]) {
  const watched = new Map<string, (event: TaskEvent) => void>();
  const stream: { send: (event: Partial<TaskEvent>) => void; stopped: boolean } = { send: () => undefined, stopped: false };
  const api = {
    tasks,
    problem: null as Problem | null,
    below: undefined as Below | undefined,
    children: () => {
      if (api.problem) return Promise.reject(api.problem);
      return Promise.resolve({ tasks: [...api.tasks], ...(api.below ? { below: api.below } : {}) });
    },
  };
  const connection = {
    summary: (id: string, onEvent: (event: TaskEvent) => void) => {
      watched.set(id, onEvent);
      return { stop: () => watched.delete(id) };
    },
    user: ({ event }: UserSink) => {
      stream.send = (given) => event({ sequence: 1, ...given } as TaskEvent);
      return { stop: () => void (stream.stopped = true) };
    },
  };
  const children = new ChildTasks("p", api as unknown as Api, connection as unknown as Connection);
  return { api, watched, children, stream, seen: () => children.tasks.value.map((one) => [one.task_id, one.status, one.progress]) };
}

test("they come in the order in which they were made, and those that run are watched", async () => {
  const { children, watched, seen } = server(task("b"), task("a", { status: "SUCCESS", progress: 100 }));

  await children.load("own");

  expect(seen()).toEqual([
    ["a", "SUCCESS", 100],
    ["b", "STARTED", 0],
  ]);
  expect([...watched.keys()]).toEqual(["b"]);
});

test("an event of a child changes that child, and its end ends the watch", async () => {
  const { children, watched, seen } = server(task("b"), task("a"));
  await children.load("own");

  watched.get("a")?.({ type: "phase_update", sequence: 3, timestamp: "x", phase_id: "p", status: "active", progress: 40 });
  watched.get("b")?.({ type: "task_status", sequence: 9, status: "FAILURE", progress: 12 });

  expect(seen()).toEqual([
    ["a", "STARTED", 40],
    ["b", "FAILURE", 12],
  ]);
  expect([...watched.keys()]).toEqual(["a"]);
});

test("loading again watches what began since, and nothing twice", async () => {
  const { api, children, watched } = server(task("a"));
  await children.load("own");
  const first = watched.get("a");
  api.tasks = [task("b"), task("a")];

  await children.load("own");

  expect([...watched.keys()].sort()).toEqual(["a", "b"]);
  expect(watched.get("a")).toBe(first);
});

test("of a hundred that run at once only so many are watched", async () => {
  const { children, watched } = server(...Array.from({ length: 100 }, (_, n) => task(String(n))));

  await children.load("own");

  expect(watched.size).toBe(24);
});

test("a child that is made later, and the end of one that is not watched, come by the user's stream", async () => {
  vi.useFakeTimers();
  const { api, children, stream, seen } = server(task("a", { status: "PENDING" }));
  await children.load("own");

  api.tasks = [task("b"), task("a", { status: "PENDING" })];
  stream.send({ type: "task_created", task_id: "x", parent_id: "q" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen()).toHaveLength(1);
  stream.send({ type: "task_created", task_id: "b", parent_id: "p" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen()).toHaveLength(2);

  api.tasks = [task("b"), task("a", { status: "REVOKED" })];
  stream.send({ type: "status_changed", task_id: "a", status: "REVOKED" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen()[0]).toEqual(["a", "REVOKED", 0]);
  children.stop();
  expect(stream.stopped).toBe(true);
  vi.useRealTimers();
});

test("an answer to an older question does not undo a newer one, and stopping ends all", async () => {
  const { api, children, watched, seen } = server(task("a"));
  const older = children.load("own");
  api.tasks = [task("b"), task("a")];
  await Promise.all([children.load("own"), older]);
  expect(seen()).toHaveLength(2);

  children.stop();

  expect(watched.size).toBe(0);
});

test("a refusal leaves what was known", async () => {
  const { api, children, seen } = server(task("a"));
  await children.load("own");
  api.problem = new Problem(500, "away");

  await children.load("own");

  expect([seen().length, children.problem.value?.status]).toEqual([1, 500]);
});

test("a failure further below is heard of by the user's stream", async () => {
  vi.useFakeTimers();
  const { api, children, stream } = server(task("a", { status: "SUCCESS" }));
  await children.load("own");
  expect(children.below.value).toBeNull();
  const failures = [{ task_id: "body", title: "Chord body: total", job_type: "total", message: "no" }];
  api.below = { tasks: 2, open: 0, failed: 1, failures, complete: true };

  stream.send({ type: "status_changed", task_id: "body", status: "SUCCESS" });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(children.below.value).toBeNull();
  stream.send({ type: "status_changed", task_id: "body", status: "FAILURE" });
  await vi.advanceTimersByTimeAsync(2_000);

  expect(children.below.value?.failed).toBe(1);
  vi.useRealTimers();
});
