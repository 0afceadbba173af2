// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./problem";
import { noting, snapshotAt } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";
import type { TaskWatch } from "./watch";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

/** The snapshot is there, and the server was asked for the room. */
async function begin(): Promise<TaskWatch> {
  const watch = stage.connection.task("t", stage.notes.sink);
  socket().open();
  await pass(0);
  return watch;
}

/** The room was left and is joined again. */
function again(head: number): void {
  socket().answer("leave_task", { ok: true });
  expect(stage.joins).toHaveLength(1);
  stage.take(head);
}

test("joins at the snapshot's sequence, catches up, then is current", async () => {
  const watch = await begin();
  expect(stage.joins).toEqual([5]);
  expect(watch.progress).toEqual({ kind: "loading" });
  stage.take(7);
  expect(watch.progress).toEqual({ kind: "catching up", behind: 2 });
  socket().log(6, 7);
  expect(watch.progress).toEqual({ kind: "current" });
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
});

test("drops what it has seen", async () => {
  await begin();
  stage.take(7);
  socket().log(4, 5, 6, 6, 5, 7);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
});

test("leaves alone what is of another stream or has no sequence", async () => {
  const watch = await begin();
  stage.take(5);
  socket().deliver("agent_started", { stream: "user:1", sequence: 6 });
  socket().deliver("log", { stream: "task:t", message: "no sequence" });
  socket().deliver("log", { stream: "task:t", sequence: "6" });
  socket().deliver("resync", { stream: "task:other" });
  socket().deliver("log", null);
  expect(stage.seen).toEqual(["snapshot 5"]);
  expect(watch.progress).toEqual({ kind: "current" });
});

test("a type of event that it does not know counts like any other", async () => {
  await begin();
  stage.take(5);
  socket().deliver("application.word", { stream: "task:t", sequence: 6 });
  socket().log(7);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
});

test("a gap joins again at the last sequence, and nothing beyond it is shown before it is filled", async () => {
  await begin();
  stage.take(9);
  socket().log(6, 8, 9);
  again(9);
  socket().log(7, 8, 9);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7, 8, 9]);
  expect(sockets).toHaveLength(1);
});

test("a gap that stays is jumped by a snapshot", async () => {
  await begin();
  stage.server.answers.set("/tasks/t/status", snapshotAt(9));
  stage.take(9);
  socket().log(8);
  again(9);
  socket().log(8);
  await pass(0);
  socket().answer("leave_task", { ok: true });
  expect(stage.joins).toEqual([9]);
  stage.take(9);
  socket().log(10);
  expect(stage.seen).toEqual(["snapshot 5", "snapshot 9", 10]);
});

test("what a room that was left still brings is not taken for the present one's", async () => {
  await begin();
  stage.take(9);
  socket().log(6, 8);
  socket().log(7);
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("resync takes a fresh snapshot and goes on from there", async () => {
  await begin();
  stage.take(6);
  stage.server.answers.set("/tasks/t/status", snapshotAt(40));
  socket().deliver("resync", { stream: "task:t", reason: "pruned", oldest: 30, head: 40 });
  await pass(0);
  again(40);
  socket().log(40, 41);
  expect(stage.seen).toEqual(["snapshot 5", "snapshot 40", 41]);
});

test("a snapshot that does not come is asked for again, and the connection stays", async () => {
  stage.server.answers.set("/tasks/t/status", new Problem(503, "Later"));
  const watch = await begin();
  expect(stage.joins).toEqual([]);
  expect(watch.progress).toEqual({ kind: "loading" });
  stage.server.answers.set("/tasks/t/status", snapshotAt(6));
  await vi.advanceTimersByTimeAsync(1_000);
  stage.take(6);
  expect(watch.progress).toEqual({ kind: "current" });
  expect(sockets).toHaveLength(1);
});

test("after the second snapshot that does not come the reader is told why, until one comes", async () => {
  stage.server.answers.set("/tasks/t/status", new Problem(500, "Broken"));
  const watch = await begin();
  expect(watch.progress).toEqual({ kind: "loading" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(watch.progress).toMatchObject({ kind: "loading", problem: { status: 500 } });
  stage.server.answers.set("/tasks/t/status", snapshotAt(6));
  await vi.advanceTimersByTimeAsync(2_000);
  stage.take(6);
  expect(watch.progress).toEqual({ kind: "current" });
});

test("a task that is not there is not asked for again", async () => {
  const watch = await begin();
  socket().answer("join_task", { ok: false, error: { status: 404, title: "Not Found" } });
  expect(watch.progress).toMatchObject({ kind: "refused", problem: { status: 404 } });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(stage.joins).toEqual([]);
  expect(sockets).toHaveLength(1);
});

test("a task whose snapshot is refused is never joined", async () => {
  stage.server.answers.set("/tasks/t/status", new Problem(403, "Forbidden"));
  const watch = await begin();
  expect(watch.progress).toMatchObject({ kind: "refused", problem: { status: 403 } });
  expect(stage.joins).toEqual([]);
});

test("one room that is refused leaves the others as they are", async () => {
  stage.server.answers.set("/tasks/u/status", snapshotAt(1));
  await stage.live(5);
  const refused = stage.connection.task("u", noting().sink);
  await pass(0);
  expect(stage.joins).toEqual([1]);
  socket().answer("join_task", { ok: false, error: { status: 403, title: "Forbidden" } });
  socket().log(6);
  expect(refused.progress.kind).toBe("refused");
  expect(stage.connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("ends with the task", async () => {
  const watch = await begin();
  stage.take(5);
  socket().deliver("task_status", { stream: "task:t", sequence: 6, status: "SUCCESS" });
  socket().deliver("end", { stream: "task:t", status: "SUCCESS" });
  expect(watch.progress).toEqual({ kind: "ended" });
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("an end without its terminal event is looked up", async () => {
  const watch = await begin();
  stage.take(5);
  stage.server.answers.set("/tasks/t/status", snapshotAt(9, "FAILURE"));
  socket().deliver("end", { stream: "task:t", status: "FAILURE" });
  await pass(0);
  expect(stage.seen).toEqual(["snapshot 5", "snapshot 9"]);
  expect(watch.progress).toEqual({ kind: "ended" });
});

test("joins nothing for a task that is finished already", async () => {
  stage.server.answers.set("/tasks/t/status", snapshotAt(9, "FAILURE"));
  const watch = await begin();
  expect(watch.progress).toEqual({ kind: "ended" });
  expect(stage.joins).toEqual([]);
});

test("nothing comes after a stop", async () => {
  const watch = await begin();
  stage.take(6);
  watch.stop();
  socket().log(6);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stage.seen).toEqual(["snapshot 5"]);
  expect(socket().gone).toBe(true);
  expect(sockets).toHaveLength(1);
});
