// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PageConnection } from "./connection";
import { Problem } from "./http";
import { connectionOf, FakeAccess, FakeServer, noting, snapshotAt, type FakeStream } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let server: FakeServer;
let access: FakeAccess;
let connection: PageConnection;
let seen: (number | string)[];

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
  server = new FakeServer();
  server.answers.set("/tasks/t/status", snapshotAt(5));
  server.answers.set("/tasks/t/events", { events: [], next_sequence: 5, has_more: false });
  vi.stubGlobal("fetch", server.fetch);
  access = new FakeAccess();
  connection = connectionOf(access);
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const stream = (): FakeStream => {
  const last = server.streams.at(-1);
  if (!last) throw new Error("no stream was asked for");
  return last;
};
const blocked = (): void => socket().fail(new Error("websocket error"));
const take = (head: number): void => socket().answer("join_task", { ok: true, task_id: "t", sequence: head });
const since = (): unknown => socket().asked("join_task").at(-1)?.since_sequence;

async function watch(): Promise<void> {
  const notes = noting();
  seen = notes.seen;
  connection.task("t", notes.sink);
  await pass(0);
}

async function live(head = 5): Promise<void> {
  await watch();
  socket().open();
  take(head);
}

/** WebSocket is blocked; the stream carries the task. */
async function streaming(): Promise<void> {
  await watch();
  blocked();
  await pass(0);
  stream().open();
  await pass(0);
  stream().open({ "task:t": 5 });
  await pass(0);
}

async function polling(): Promise<void> {
  await watch();
  blocked();
  await pass(0);
  stream().fail(new TypeError("network"));
  await pass(0);
}

/** A stream on which nothing happens. */
async function quiet(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 10) {
    stream().text(": keep-alive\n\n");
    await pass(10_000);
  }
}

function more(...sequences: number[]): void {
  const events = sequences.map((sequence) => ({ type: "log", sequence, data: { sequence, stream: "task:t" } }));
  server.answers.set("/tasks/t/events", { events, next_sequence: sequences.at(-1), has_more: false });
}

test("opens nothing before anybody watches, and by WebSocket alone", async () => {
  expect(sockets).toHaveLength(0);
  await watch();
  expect(socket().options.transports).toEqual(["websocket"]);
  expect(connection.link).toEqual({ kind: "connecting" });
  socket().open();
  expect(connection.link).toEqual({ kind: "live", wire: "socket" });
});

test("after a cut it comes back with back-off and resumes at its cursor", async () => {
  await live(6);
  socket().log(6);
  const lost = socket();
  lost.cut();
  lost.log(7);
  expect(connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
  await pass(1_000);
  blocked();
  await pass(0);
  stream().fail(new TypeError("network"));
  await pass(0);
  expect(connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 2_000 });
  await pass(1_999);
  expect(sockets).toHaveLength(2);
  await pass(1);
  socket().open();
  expect(since()).toBe(6);
  take(7);
  socket().log(7);
  expect(seen).toEqual(["snapshot 5", 6, 7]);
  socket().cut();
  expect(connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
});

test("after ten tries it asks by REST, and tries once a minute", async () => {
  await live();
  socket().cut();
  const delays: number[] = [];
  while (connection.link.kind === "reconnecting") {
    const delay = connection.link.until - Date.now();
    delays.push(delay / 1_000);
    await pass(delay);
    blocked();
    await pass(0);
    stream().fail(new TypeError("network"));
    await pass(0);
  }
  expect(delays).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
  expect(connection.link).toEqual({ kind: "polling", seconds: 10 });
  const tried = sockets.length;
  await pass(59_000);
  expect(sockets).toHaveLength(tried);
  await pass(1_000);
  expect(sockets).toHaveLength(tried + 1);
});

test("one may try at once", async () => {
  await live();
  socket().cut();
  connection.retryNow();
  expect(sockets).toHaveLength(2);
  await pass(4_000);
  expect(sockets).toHaveLength(2);
});

test("a page that is looked at again tries at once", async () => {
  await live();
  socket().cut();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(sockets).toHaveLength(2);
});

test.each(["offline", "online"])("what may be dead without knowing it is opened again: %s", async (change) => {
  await live();
  window.dispatchEvent(new Event(change));
  expect(sockets[0]?.gone).toBe(true);
  expect(connection.link).toEqual({ kind: "connecting" });
  socket().open();
  expect(since()).toBe(5);
});

test("a blocked WebSocket leaves one stream of all rooms, opened again when they change", async () => {
  await streaming();
  expect(connection.link).toEqual({ kind: "live", wire: "sse" });
  expect(server.streams.map(({ rooms }) => rooms)).toEqual([["broadcast"], ["task:t@5"]]);
  stream().log(6, 7);
  await pass(0);
  connection.standing("u", () => undefined);
  connection.user(noting().user);
  await pass(0);
  expect(server.streams).toHaveLength(3);
  expect(stream().rooms.sort()).toEqual(["broadcast@latest", "task:t@7", "task:u@latest", "user@latest"]);
  expect(server.streams[1]?.gone).toBe(true);
  expect(connection.link).toEqual({ kind: "live", wire: "sse" });
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("from the stream it goes up when the WebSocket works again, and loses and repeats nothing", async () => {
  await streaming();
  stream().log(6);
  await quiet(50);
  expect(sockets).toHaveLength(1);
  stream().log(7);
  await quiet(10);
  expect(sockets).toHaveLength(2);
  stream().log(8);
  await pass(0);
  socket().open();
  expect(stream().gone).toBe(true);
  expect(connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(since()).toBe(8);
  take(9);
  socket().log(8, 9);
  expect(seen).toEqual(["snapshot 5", 6, 7, 8, 9]);
});

test("a WebSocket that is still blocked disturbs nothing", async () => {
  await streaming();
  await quiet(60);
  blocked();
  await pass(0);
  expect(connection.link).toEqual({ kind: "live", wire: "sse" });
  stream().log(6);
  await pass(0);
  expect(seen).toEqual(["snapshot 5", 6]);
  await quiet(60);
  expect(sockets).toHaveLength(3);
});

test("a silent stream is a cut one, a comment is enough to be alive", async () => {
  await streaming();
  await pass(30_000);
  stream().text(": keep-alive\n\n");
  await pass(30_000);
  expect(connection.link.kind).toBe("live");
  await pass(10_000);
  expect(connection.link.kind).toBe("reconnecting");
});

test("where neither wire gets through REST is asked every ten seconds", async () => {
  more(6, 7);
  await polling();
  expect(connection.link).toEqual({ kind: "polling", seconds: 10 });
  expect(seen).toEqual(["snapshot 5", 6, 7]);
  more(8);
  await pass(9_999);
  expect(seen.at(-1)).toBe(7);
  await pass(1);
  expect(seen).toEqual(["snapshot 5", 6, 7, 8]);
});

test("from polling it goes up to the best wire at the cursor", async () => {
  more(6);
  await polling();
  await pass(60_000);
  expect(sockets).toHaveLength(2);
  socket().open();
  expect(connection.link).toEqual({ kind: "live", wire: "socket" });
  expect(since()).toBe(6);
  const asked = server.asked.length;
  await pass(30_000);
  expect(server.asked).toHaveLength(asked);
});

test("while polling a server that does not answer is told, and the wires are tried when it does again", async () => {
  await polling();
  server.answers.delete("/tasks/t/events");
  await pass(10_000);
  expect(connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 10_000 });
  more(6);
  await pass(10_000);
  expect(connection.link).toEqual({ kind: "polling", seconds: 10 });
  expect(sockets).toHaveLength(2);
  expect(seen).toEqual(["snapshot 5", 6]);
});

test("a room that is refused while polling stays refused, and the others are asked on", async () => {
  await polling();
  server.answers.set("/tasks/u/status", snapshotAt(1));
  server.answers.set("/tasks/u/events", new Problem(404, "Not Found"));
  const other = connection.task("u", noting().sink);
  await pass(10_000);
  expect(other.progress.kind).toBe("refused");
  more(6);
  await pass(10_000);
  expect(seen).toEqual(["snapshot 5", 6]);
});

test("a room that is not the viewer's any more leaves the stream to the others", async () => {
  await streaming();
  server.answers.set("/tasks/u/status", snapshotAt(1));
  server.answers.set("/tasks/u/events", new Problem(404, "Not Found"));
  const other = connection.task("u", noting().sink);
  await pass(0);
  expect(stream().rooms).toEqual(["task:t@5", "task:u@1"]);
  stream().answer(new Response("{}", { status: 404 }));
  await pass(0);
  expect(other.progress.kind).toBe("refused");
  expect(stream().rooms).toEqual(["task:t@5"]);
  stream().open();
  stream().log(6);
  await pass(0);
  expect(seen).toEqual(["snapshot 5", 6]);
});

test("a refused token is renewed; a session that is over signs out", async () => {
  await watch();
  socket().fail(Object.assign(new Error("expired"), { data: undefined }));
  await pass(0);
  expect(access.taking).toHaveBeenCalledTimes(1);
  expect(connection.link.kind).toBe("reconnecting");
  await pass(1_000);
  socket().open();
  access.taking.mockRejectedValue(new Problem(401, "Signed out"));
  socket().cut("io server disconnect");
  await pass(0);
  expect(connection.link).toEqual({ kind: "signed out" });
  await pass(120_000);
  expect(sockets).toHaveLength(2);
  access.signIn(true);
  expect(sockets).toHaveLength(3);
});

test("a token that ends on an open wire is renewed, and the same wire opened again at once", async () => {
  await streaming();
  stream().log(6);
  stream().say("token_expired", {});
  await pass(0);
  expect(connection.link).toEqual({ kind: "connecting" });
  expect(sockets).toHaveLength(1);
  stream().open();
  await pass(0);
  expect(stream().rooms).toEqual(["task:t@6"]);
  expect(connection.link).toEqual({ kind: "live", wire: "sse" });
});

test("hands a renewed token to the open socket", async () => {
  await live();
  access.renewed("fresh");
  expect(socket().asked("refresh_token")).toEqual([{ token: "fresh" }]);
  socket().answer("refresh_token", { ok: false });
  expect(connection.link.kind).toBe("reconnecting");
});

test("what an abandoned attempt still says is not heard", async () => {
  await live();
  const abandoned = socket();
  window.dispatchEvent(new Event("online"));
  abandoned.log(6);
  abandoned.open();
  abandoned.fail(new Error("late"));
  abandoned.cut();
  expect(connection.link).toEqual({ kind: "connecting" });
  expect(seen).toEqual(["snapshot 5"]);
});

test("from page to page the connection stays, and ends when nobody watches", async () => {
  const first = connection.task("t", noting().sink);
  socket().open();
  first.stop();
  await pass(4_000);
  const second = connection.task("t", noting().sink);
  await pass(10_000);
  expect(sockets).toHaveLength(1);
  second.stop();
  await pass(5_000);
  expect(socket().gone).toBe(true);
  connection.task("t", noting().sink);
  expect(sockets).toHaveLength(2);
});
