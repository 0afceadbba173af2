// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { noting, snapshotAt } from "./testing/page";
import { io, socket } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

/** The room was left and is joined again. */
function again(head: number): void {
  socket().answer("leave_task", { ok: true });
  expect(stage.joins).toHaveLength(1);
  stage.take(head);
}

test("a fault of one who watches does not end the connection", async () => {
  const faults: unknown[] = [];
  const note = (error: unknown): void => void faults.push(error);
  process.on("uncaughtException", note);
  const event = vi.fn(() => {
    throw new Error("a fault of the page");
  });
  stage.connection.task("t", { ...stage.notes.sink, event });
  socket().open();
  await pass(0);
  stage.take(6);
  vi.useRealTimers();
  socket().log(6, 7);
  await vi.waitFor(() => expect(faults).toHaveLength(2), { timeout: 30_000 });
  process.off("uncaughtException", note);
  expect(event).toHaveBeenCalledTimes(2);
  expect(stage.connection.link.kind).toBe("live");
});

test("a watcher that fails on a snapshot keeps neither the join nor the other watchers from it", async () => {
  const report = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  const fault = (): never => {
    throw new Error("a fault of the page");
  };
  stage.connection.task("t", { snapshot: fault, event: fault, progress: fault });
  await stage.live();
  socket().log(6);
  report.mockRestore();
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("a watch that begins during an event gets that event in a snapshot, and no event before it", async () => {
  const late = noting();
  let begun = false;
  stage.connection.task("t", {
    ...stage.notes.sink,
    event: (event) => {
      stage.notes.sink.event(event);
      if (!begun) stage.connection.task("t", late.sink);
      begun = true;
    },
  });
  socket().open();
  await pass(0);
  stage.take(6);
  stage.server.answers.set("/tasks/t/status", snapshotAt(7));
  socket().log(6, 7);
  expect(late.seen).toEqual([]);

  await pass(0);
  again(8);
  socket().log(8);
  expect(late.seen).toEqual(["snapshot 7", 8]);
  expect(stage.seen).toEqual(["snapshot 5", 6, "snapshot 7", 8]);
});

test("a watch that is stopped during an event gets no more events", async () => {
  const other = noting();
  const watch: { stop: () => void } = stage.connection.task("t", {
    ...stage.notes.sink,
    event: (event) => {
      stage.notes.sink.event(event);
      second.stop();
      watch.stop();
    },
  });
  const second = stage.connection.task("t", other.sink);
  socket().open();
  await pass(0);
  stage.take(7);
  socket().log(6, 7);
  await pass(0);

  expect(stage.seen).toEqual(["snapshot 5", 6]);
  expect(other.seen).toEqual(["snapshot 5"]);
});

test("while polling, a watch that stops or begins inside a page gets nothing twice or too early", async () => {
  const late = noting();
  await stage.polling();
  const one = stage.notes.sink;
  const original = one.event.bind(one);
  one.event = (event) => {
    original(event);
    if (event.sequence === 6) stage.connection.task("t", late.sink);
  };
  const events = [6, 7].map((sequence) => ({ sequence, type: "log", timestamp: "", data: {} }));
  stage.server.answers.set("/tasks/t/events", { events, next_sequence: 7, has_more: false });
  stage.server.answers.set("/tasks/t/status", snapshotAt(7));
  await pass(30_000);

  expect(late.seen[0]).toBe("snapshot 7");
  expect(new Set(late.seen).size).toBe(late.seen.length);
});
