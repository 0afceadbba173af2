import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "./backoff";
import { Problem } from "./http";
import { socketWire } from "./socket";
import { TaskStream, type Sink } from "./stream";
import type { Snapshot } from "./types";
import type { OpenWire } from "./wire";

/** Stands for the library's socket; the test plays the server. */
class FakeSocket {
  connected = false;
  gone = false;
  sent: { name: string; body: Record<string, unknown>; ack: (error: Error | null, answer?: unknown) => void }[] = [];
  private handlers = new Map<string, (...args: unknown[]) => void>();
  private any: (type: string, payload: unknown) => void = () => undefined;

  on(name: string, handle: (...args: unknown[]) => void): void {
    this.handlers.set(name, handle);
  }
  onAny(handle: (type: string, payload: unknown) => void): void {
    this.any = handle;
  }
  offAny(): void {
    this.any = () => undefined;
  }
  timeout(): this {
    return this;
  }
  emit(name: string, body: Record<string, unknown>, ack: FakeSocket["sent"][number]["ack"]): void {
    this.sent.push({ name, body, ack });
  }
  disconnect(): void {
    this.gone = true;
  }

  /** The server takes the connection, and the join unless `join` says otherwise. */
  open(head: number, join: unknown = { ok: true, task_id: "t", sequence: head }): void {
    this.connected = true;
    this.handlers.get("connect")?.();
    this.sent.at(-1)?.ack(null, join);
  }
  fail(error: Error): void {
    this.handlers.get("connect_error")?.(error);
  }
  cut(reason = "transport close"): void {
    this.handlers.get("disconnect")?.(reason);
  }
  say(type: string, payload: unknown): void {
    this.any(type, payload);
  }
  log(...sequences: number[]): void {
    for (const sequence of sequences) this.say("log", { stream: "task:t", sequence, level: "INFO", message: "" });
  }
}

const sockets: FakeSocket[] = [];
vi.mock("socket.io-client", () => ({
  io: () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  },
}));
const socket = (): FakeSocket => sockets.at(-1) as FakeSocket;

const snapshotAt = (sequence: number, status = "STARTED"): Snapshot =>
  ({ task: { status }, phases: [], sequence, recent_logs: [] }) as unknown as Snapshot;

let seen: (number | string)[];
const sink: Sink = {
  snapshot: ({ sequence }) => seen.push(`snapshot ${sequence}`),
  event: ({ sequence }) => seen.push(sequence),
  connection: () => undefined,
};
const snapshot = vi.fn<() => Promise<Snapshot>>();
const renew = vi.fn<() => Promise<void>>();

function stream(...more: OpenWire[]): TaskStream {
  const wires = [socketWire(() => "token"), ...more];
  return new TaskStream("t", { snapshot, renew, wires, backoff: new Backoff(() => 0) }, sink);
}

async function begin(...more: OpenWire[]): Promise<TaskStream> {
  const viewer = stream(...more);
  viewer.start();
  await vi.waitFor(() => expect(sockets).toHaveLength(1));
  return viewer;
}

const joins = (): unknown[] =>
  sockets.flatMap(({ sent }) => sent.filter(({ name }) => name === "join_task").map(({ body }) => body.since_sequence));

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
  seen = [];
  snapshot.mockReset().mockResolvedValue(snapshotAt(5));
  renew.mockReset().mockResolvedValue();
});
afterEach(() => vi.useRealTimers());

test("joins at the snapshot's sequence, catches up, then is live", async () => {
  const viewer = await begin();
  socket().open(7);
  expect(joins()).toEqual([5]);
  expect(viewer.connection).toEqual({ kind: "catching up", behind: 2 });
  socket().log(6, 7);
  expect(viewer.connection).toEqual({ kind: "live" });
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("drops what it has seen", async () => {
  await begin();
  socket().open(7);
  socket().log(4, 5, 6, 6, 5, 7);
  expect(seen).toEqual(["snapshot 5", 6, 7]);
});

test("leaves alone what is of another stream or has no sequence", async () => {
  const viewer = await begin();
  socket().open(5);
  socket().say("agent_started", { stream: "user:1", sequence: 6 });
  socket().say("log", { stream: "task:t", message: "no sequence" });
  socket().say("log", { stream: "task:t", sequence: "6" });
  socket().say("resync", { stream: "task:other" });
  socket().say("log", null);
  expect(seen).toEqual(["snapshot 5"]);
  expect(viewer.connection).toEqual({ kind: "live" });
});

test("a gap joins again at the last sequence, and nothing beyond it is shown before it is filled", async () => {
  await begin();
  socket().open(9);
  socket().log(6, 8, 9);
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.gone).toBe(true);
  socket().open(9);
  socket().log(7, 8, 9);
  expect(joins()).toEqual([5, 6]);
  expect(seen).toEqual(["snapshot 5", 6, 7, 8, 9]);
});

test("a gap that stays is jumped by a snapshot", async () => {
  await begin();
  snapshot.mockResolvedValue(snapshotAt(9));
  socket().open(9);
  socket().log(8);
  socket().open(9);
  socket().log(8);
  await vi.waitFor(() => expect(sockets).toHaveLength(3));
  socket().open(9);
  expect(joins()).toEqual([5, 5, 9]);
  expect(seen).toEqual(["snapshot 5", "snapshot 9"]);
});

test("after a cut it comes back with back-off and resumes at its cursor", async () => {
  const viewer = await begin();
  socket().open(6);
  socket().log(6);
  const lost = socket();
  lost.cut();
  lost.log(7);
  expect(viewer.connection).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
  vi.advanceTimersByTime(1_000);
  socket().fail(new Error("websocket error"));
  expect(viewer.connection).toEqual({ kind: "reconnecting", until: Date.now() + 2_000 });
  vi.advanceTimersByTime(1_999);
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(1);
  socket().open(7);
  socket().log(7);
  expect(joins()).toEqual([5, 6]);
  expect(seen).toEqual(["snapshot 5", 6, 7]);
  socket().cut();
  expect(viewer.connection).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
});

test("one may try at once", async () => {
  const viewer = await begin();
  socket().open(5);
  socket().cut();
  viewer.retryNow();
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(2);
});

test("resync takes a fresh snapshot and goes on from there", async () => {
  await begin();
  socket().open(6);
  snapshot.mockResolvedValue(snapshotAt(40));
  socket().say("resync", { stream: "task:t", reason: "pruned", oldest: 30, head: 40 });
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  socket().open(40);
  socket().log(40, 41);
  expect(joins()).toEqual([5, 40]);
  expect(seen).toEqual(["snapshot 5", "snapshot 40", 41]);
});

test("an unreachable snapshot is asked for again", async () => {
  snapshot.mockRejectedValueOnce(new Problem(0, "The server does not answer"));
  const viewer = stream();
  viewer.start();
  await vi.waitFor(() => expect(viewer.connection.kind).toBe("reconnecting"));
  vi.advanceTimersByTime(1_000);
  await vi.waitFor(() => expect(sockets).toHaveLength(1));
});

test("the next wire is tried when the socket cannot open, and the socket first again after a cut", async () => {
  const opened: number[] = [];
  let cut = (): void => undefined;
  const viewer = await begin((_taskId, cursor, events) => {
    opened.push(cursor);
    cut = () => events.closed({ kind: "cut" });
    queueMicrotask(() => events.joined(cursor));
    return { close: () => undefined, token: () => undefined };
  });
  socket().fail(new Error("timeout"));
  expect(opened).toEqual([5]);
  await vi.waitFor(() => expect(viewer.connection.kind).toBe("live"));
  cut();
  vi.advanceTimersByTime(1_000);
  expect(sockets).toHaveLength(2);
});

test("a refused token is renewed; a session that is over signs out", async () => {
  const viewer = await begin();
  socket().fail(Object.assign(new Error("expired"), { data: undefined }));
  await vi.waitFor(() => expect(viewer.connection.kind).toBe("reconnecting"));
  expect(renew).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  socket().open(5);
  renew.mockRejectedValue(new Problem(401, "Signed out"));
  socket().cut("io server disconnect");
  await vi.waitFor(() => expect(viewer.connection.kind).toBe("signed out"));
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(2);
});

test("a token that ends on an open wire is renewed, and the wire opened again at once", async () => {
  const viewer = await begin();
  socket().open(6);
  socket().log(6);
  socket().say("token_expired", {});
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  expect(viewer.connection).toEqual({ kind: "connecting" });
  socket().open(6);
  expect(joins()).toEqual([5, 6]);
  expect(viewer.connection).toEqual({ kind: "live" });
});

test("hands a renewed token to the open socket", async () => {
  const viewer = await begin();
  socket().open(5);
  viewer.token("fresh");
  expect(socket().sent.at(-1)).toMatchObject({ name: "refresh_token", body: { token: "fresh" } });
  socket().sent.at(-1)?.ack(null, { ok: false });
  expect(viewer.connection.kind).toBe("reconnecting");
});

test("a task that is not there is not asked for again", async () => {
  const viewer = await begin();
  socket().open(0, { ok: false, error: { status: 404, title: "Not Found" } });
  expect(viewer.connection).toMatchObject({ kind: "refused", problem: { status: 404 } });
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(1);
});

test("ends with the task", async () => {
  const viewer = await begin();
  socket().open(5);
  socket().say("task_status", { stream: "task:t", sequence: 6, status: "SUCCESS" });
  socket().say("end", { stream: "task:t", status: "SUCCESS" });
  expect(viewer.connection).toEqual({ kind: "ended" });
  expect(socket().gone).toBe(true);
});

test("opens nothing for a task that is finished already", async () => {
  snapshot.mockResolvedValue(snapshotAt(9, "FAILURE"));
  const viewer = stream();
  viewer.start();
  await vi.waitFor(() => expect(viewer.connection.kind).toBe("ended"));
  expect(sockets).toHaveLength(0);
});

test("nothing comes after a stop", async () => {
  const viewer = await begin();
  socket().open(6);
  viewer.stop();
  socket().log(6);
  vi.advanceTimersByTime(60_000);
  expect(seen).toEqual(["snapshot 5"]);
  expect(sockets).toHaveLength(1);
});
