// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./problem";
import { noting, snapshotAt } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

test("a blocked WebSocket leaves one stream of all rooms, opened again when they change", async () => {
  await stage.streaming();
  expect(stage.connection.link).toEqual({ kind: "live", wire: "sse" });
  expect(stage.server.streams.map(({ rooms }) => rooms)).toEqual([["broadcast"], ["task:t@5"]]);
  stage.stream.log(6, 7);
  await pass(0);
  stage.connection.summary("u", () => undefined);
  stage.connection.user(noting().user);
  await pass(0);
  expect(stage.server.streams).toHaveLength(3);
  expect(stage.stream.rooms.sort()).toEqual(["broadcast@latest", "task:t@7", "task:u@latest", "user@latest"]);
  expect(stage.server.streams[1]?.gone).toBe(true);
  expect(stage.connection.link).toEqual({ kind: "live", wire: "sse" });
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
});

test("from the stream it goes up when the WebSocket works again, and loses and repeats nothing", async () => {
  await stage.streaming();
  stage.stream.log(6);
  await stage.quiet(50);
  expect(sockets).toHaveLength(1);
  stage.stream.log(7);
  await stage.quiet(10);
  expect(sockets).toHaveLength(2);
  stage.stream.log(8);
  await pass(0);
  socket().open();
  expect(stage.stream.gone).toBe(true);
  expect(stage.connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(stage.joins.at(-1)).toBe(8);
  stage.take(9);
  socket().log(8, 9);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7, 8, 9]);
});

test("a WebSocket that is still blocked disturbs nothing", async () => {
  await stage.streaming();
  await stage.quiet(60);
  stage.block();
  await pass(0);
  expect(stage.connection.link).toEqual({ kind: "live", wire: "sse" });
  stage.stream.log(6);
  await pass(0);
  expect(stage.seen).toEqual(["snapshot 5", 6]);
  await stage.quiet(60);
  expect(sockets).toHaveLength(3);
});

test("a silent stream is a cut one, a comment is enough to be alive", async () => {
  await stage.streaming();
  await pass(30_000);
  stage.stream.text(": keep-alive\n\n");
  await pass(30_000);
  expect(stage.connection.link.kind).toBe("live");
  await pass(10_000);
  expect(stage.connection.link.kind).toBe("reconnecting");
});

test("where neither wire gets through REST is asked every ten seconds", async () => {
  stage.more(6, 7);
  await stage.polling();
  expect(stage.connection.link).toEqual({ kind: "polling", seconds: 10 });
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
  stage.more(8);
  await pass(9_999);
  expect(stage.seen.at(-1)).toBe(7);
  await pass(1);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7, 8]);
});

test("from polling it goes up to the best wire at the cursor", async () => {
  stage.more(6);
  await stage.polling();
  await pass(60_000);
  expect(sockets).toHaveLength(2);
  socket().open();
  expect(stage.connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(stage.joins.at(-1)).toBe(6);
  const asked = stage.server.asked.length;
  await pass(30_000);
  expect(stage.server.asked).toHaveLength(asked);
});

test("while polling the link shows that the server does not answer, and the wires are tried when it does again", async () => {
  await stage.polling();
  stage.server.answers.delete("/tasks/t/events");
  await pass(10_000);
  expect(stage.connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 10_000 });
  stage.more(6);
  await pass(10_000);
  expect(stage.connection.link).toEqual({ kind: "polling", seconds: 10 });
  expect(sockets).toHaveLength(2);
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("a room that is refused while polling stays refused, and the others are asked on", async () => {
  await stage.polling();
  stage.server.answers.set("/tasks/u/status", snapshotAt(1));
  stage.server.answers.set("/tasks/u/events", new Problem(404, "Not Found"));
  const other = stage.connection.task("u", noting().sink);
  await pass(10_000);
  expect(other.progress.kind).toBe("refused");
  stage.more(6);
  await pass(10_000);
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("a room that is not the viewer's any more leaves the stream to the others", async () => {
  await stage.streaming();
  stage.server.answers.set("/tasks/u/status", snapshotAt(1));
  stage.server.answers.set("/tasks/u/events", new Problem(404, "Not Found"));
  const other = stage.connection.task("u", noting().sink);
  await pass(0);
  expect(stage.stream.rooms).toEqual(["task:t@5", "task:u@1"]);
  stage.stream.answer(new Response("{}", { status: 404 }));
  await pass(0);
  expect(other.progress.kind).toBe("refused");
  expect(stage.stream.rooms).toEqual(["task:t@5"]);
  stage.stream.open();
  stage.stream.log(6);
  await pass(0);
  expect(stage.seen).toEqual(["snapshot 5", 6]);
});

test("from page to page the connection stays, and ends when nothing is watched", async () => {
  const first = stage.connection.task("t", noting().sink);
  socket().open();
  first.stop();
  await pass(4_000);
  const second = stage.connection.task("t", noting().sink);
  await pass(10_000);
  expect(sockets).toHaveLength(1);
  second.stop();
  await pass(5_000);
  expect(socket().gone).toBe(true);
  stage.connection.task("t", noting().sink);
  expect(sockets).toHaveLength(2);
});

test("a WebSocket that answers nothing is left for the stream, and a silent stream for REST", async () => {
  await stage.watch();
  await pass(10_000);
  expect(socket().gone).toBe(true);
  expect(stage.stream.rooms).toEqual(["broadcast"]);
  await pass(10_000);
  expect(stage.stream.gone).toBe(true);
  expect(stage.connection.link).toEqual({ kind: "polling", seconds: 10 });
});

test("REST that comes and goes makes the wires be tried once a round of polling", async () => {
  await stage.polling();
  const flip = async (): Promise<void> => {
    stage.server.answers.delete("/tasks/t/status");
    await stage.access.call("GET", "/tasks/t/status").catch(() => undefined);
    stage.server.answers.set("/tasks/t/status", snapshotAt(5));
    await stage.access.call("GET", "/tasks/t/status");
  };
  for (let times = 0; times < 3; times++) {
    await flip();
    await stage.blockBoth();
  }
  expect(sockets).toHaveLength(2);
  await pass(10_000);
  await flip();
  expect(sockets).toHaveLength(3);
});
