// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./http";
import { connectionOf, FakeAccess, FakeServer, noting, snapshotAt } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import type { TaskWatch } from "./watch";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let server: FakeServer;
let seen: (number | string)[];

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
  server = new FakeServer();
  server.answers.set("/tasks/t/status", snapshotAt(5));
  vi.stubGlobal("fetch", server.fetch);
});
afterEach(() => vi.useRealTimers());

const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const joins = (): unknown[] =>
  sockets.flatMap(({ sent }) => sent.filter(({ name }) => name === "join_task").map(({ body }) => body.since_sequence));

/** The snapshot is there, and the server was asked for the room. */
async function begin(): Promise<TaskWatch> {
  const notes = noting();
  seen = notes.seen;
  const watch = connectionOf(new FakeAccess()).task("t", notes.sink);
  socket().open();
  await turn();
  return watch;
}

const take = (head: number): void => socket().answer("join_task", { ok: true, task_id: "t", sequence: head });

async function again(head: number): Promise<void> {
  socket().answer("leave_task", { ok: true });
  expect(joins()).toHaveLength(1);
  take(head);
}

test("joins at the snapshot's sequence, catches up, then is current", async () => {
  const watch = await begin();
  expect(joins()).toEqual([5]);
  expect(watch.progress).toEqual({ kind: "loading" });
  take(7);
  expect(watch.progress).toEqual({ kind: "catching up", behind: 2 });
  socket().log(6, 7);
  expect(watch.progress).toEqual({ kind: "current" });
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("drops what it has seen", async () => {
  await begin();
  take(7);
  socket().log(4, 5, 6, 6, 5, 7);
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("leaves alone what is of another stream or has no sequence", async () => {
  const watch = await begin();
  take(5);
  socket().say("agent_started", { stream: "user:1", sequence: 6 });
  socket().say("log", { stream: "task:t", message: "no sequence" });
  socket().say("log", { stream: "task:t", sequence: "6" });
  socket().say("resync", { stream: "task:other" });
  socket().say("log", null);
  expect(seen).toEqual(["snapshot 5"]);
  expect(watch.progress).toEqual({ kind: "current" });
});

test("a type of event that it does not know counts like any other", async () => {
  await begin();
  take(5);
  socket().say("application.word", { stream: "task:t", sequence: 6 });
  socket().log(7);
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("a gap joins again at the last sequence, and nothing beyond it is shown before it is filled", async () => {
  await begin();
  take(9);
  socket().log(6, 8, 9);
  await again(9);
  socket().log(7, 8, 9);
  expect(seen).toEqual(["snapshot 5", 6, 7, 8, 9]);
  expect(sockets).toHaveLength(1);
});

test("a gap that stays is jumped by a snapshot", async () => {
  await begin();
  server.answers.set("/tasks/t/status", snapshotAt(9));
  take(9);
  socket().log(8);
  await again(9);
  socket().log(8);
  await turn();
  socket().answer("leave_task", { ok: true });
  expect(joins()).toEqual([9]);
  take(9);
  socket().log(10);
  expect(seen).toEqual(["snapshot 5", "snapshot 9", 10]);
});

test("what a room that was left still brings is not taken for the present one's", async () => {
  await begin();
  take(9);
  socket().log(6, 8);
  socket().log(7);
  expect(seen).toEqual(["snapshot 5", 6]);
});

test("resync takes a fresh snapshot and goes on from there", async () => {
  await begin();
  take(6);
  server.answers.set("/tasks/t/status", snapshotAt(40));
  socket().say("resync", { stream: "task:t", reason: "pruned", oldest: 30, head: 40 });
  await turn();
  await again(40);
  socket().log(40, 41);
  expect(seen).toEqual(["snapshot 5", "snapshot 40", 41]);
});

test("a snapshot that does not come is asked for again, and the connection stays", async () => {
  server.answers.set("/tasks/t/status", new Problem(503, "Later"));
  const watch = await begin();
  expect(joins()).toEqual([]);
  expect(watch.progress).toEqual({ kind: "loading" });
  server.answers.set("/tasks/t/status", snapshotAt(6));
  await vi.advanceTimersByTimeAsync(1_000);
  take(6);
  expect(watch.progress).toEqual({ kind: "current" });
  expect(sockets).toHaveLength(1);
});

test("a task that is not there is not asked for again", async () => {
  const watch = await begin();
  socket().answer("join_task", { ok: false, error: { status: 404, title: "Not Found" } });
  expect(watch.progress).toMatchObject({ kind: "refused", problem: { status: 404 } });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(joins()).toEqual([]);
  expect(sockets).toHaveLength(1);
});

test("a task whose snapshot is refused is never joined", async () => {
  server.answers.set("/tasks/t/status", new Problem(403, "Forbidden"));
  const watch = await begin();
  expect(watch.progress).toMatchObject({ kind: "refused", problem: { status: 403 } });
  expect(joins()).toEqual([]);
});

test("one room that is refused leaves the others as they are", async () => {
  await begin();
  take(5);
  const connection = connectionOf(new FakeAccess());
  const [one, other] = [noting(), noting()];
  server.answers.set("/tasks/u/status", snapshotAt(1));
  connection.task("t", one.sink);
  const refused = connection.task("u", other.sink);
  socket().open();
  await turn();
  take(5);
  socket().answer("join_task", { ok: false, error: { status: 403, title: "Forbidden" } });
  socket().log(6);
  expect(refused.progress.kind).toBe("refused");
  expect(connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(one.seen).toEqual(["snapshot 5", 6]);
});

test("ends with the task", async () => {
  const watch = await begin();
  take(5);
  socket().say("task_status", { stream: "task:t", sequence: 6, status: "SUCCESS" });
  socket().say("end", { stream: "task:t", status: "SUCCESS" });
  expect(watch.progress).toEqual({ kind: "ended" });
  expect(seen).toEqual(["snapshot 5", 6]);
});

test("an end without its terminal event is looked up", async () => {
  const watch = await begin();
  take(5);
  server.answers.set("/tasks/t/status", snapshotAt(9, "FAILURE"));
  socket().say("end", { stream: "task:t", status: "FAILURE" });
  await turn();
  expect(seen).toEqual(["snapshot 5", "snapshot 9"]);
  expect(watch.progress).toEqual({ kind: "ended" });
});

test("joins nothing for a task that is finished already", async () => {
  server.answers.set("/tasks/t/status", snapshotAt(9, "FAILURE"));
  const watch = await begin();
  expect(watch.progress).toEqual({ kind: "ended" });
  expect(joins()).toEqual([]);
});

test("nothing comes after a stop", async () => {
  const watch = await begin();
  take(6);
  watch.stop();
  socket().log(6);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual(["snapshot 5"]);
  expect(socket().gone).toBe(true);
  expect(sockets).toHaveLength(1);
});

test("a fault of one who watches does not end the connection", async () => {
  const faults: unknown[] = [];
  const note = (error: unknown): void => void faults.push(error);
  process.on("uncaughtException", note);
  const connection = connectionOf(new FakeAccess());
  const notes = noting();
  const event = vi.fn(() => {
    throw new Error("a fault of the page");
  });
  connection.task("t", { ...notes.sink, event });
  socket().open();
  await turn();
  take(6);
  vi.useRealTimers();
  socket().log(6, 7);
  await vi.waitFor(() => expect(faults).toHaveLength(2));
  process.off("uncaughtException", note);
  expect(event).toHaveBeenCalledTimes(2);
  expect(connection.link.kind).toBe("live");
});
