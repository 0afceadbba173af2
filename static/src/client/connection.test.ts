// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./problem";
import { io, socket, sockets } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

test("opens nothing before anybody watches, and by WebSocket alone", async () => {
  expect(sockets).toHaveLength(0);
  await stage.watch();
  expect(socket().options.transports).toEqual(["websocket"]);
  expect(stage.connection.link).toEqual({ kind: "connecting" });
  socket().open();
  expect(stage.connection.link).toEqual({ kind: "live", wire: "socket" });
});

test("after a cut it comes back with back-off and resumes at its cursor", async () => {
  await stage.live(6);
  socket().log(6);
  const lost = socket();
  lost.cut();
  lost.log(7);
  expect(stage.connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
  await pass(1_000);
  await stage.blockBoth();
  expect(stage.connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 2_000 });
  await pass(1_999);
  expect(sockets).toHaveLength(2);
  await pass(1);
  socket().open();
  expect(stage.joins.at(-1)).toBe(6);
  stage.take(7);
  socket().log(7);
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
  socket().cut();
  expect(stage.connection.link).toEqual({ kind: "reconnecting", until: Date.now() + 1_000 });
});

test("after ten tries it asks by REST, and tries once a minute", async () => {
  await stage.live();
  socket().cut();
  const delays: number[] = [];
  while (stage.connection.link.kind === "reconnecting") {
    const delay = stage.connection.link.until - Date.now();
    delays.push(delay / 1_000);
    await pass(delay);
    await stage.blockBoth();
  }
  expect(delays).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
  expect(stage.connection.link).toEqual({ kind: "polling", seconds: 10 });
  const tried = sockets.length;
  await pass(59_000);
  expect(sockets).toHaveLength(tried);
  await pass(1_000);
  expect(sockets).toHaveLength(tried + 1);
});

test("one may try at once", async () => {
  await stage.live();
  socket().cut();
  stage.connection.retryNow();
  expect(sockets).toHaveLength(2);
  await pass(4_000);
  expect(sockets).toHaveLength(2);
});

test("a page that is looked at again tries at once", async () => {
  await stage.live();
  socket().cut();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(sockets).toHaveLength(2);
});

test.each(["offline", "online"])("what may be dead without knowing it is opened again: %s", async (change) => {
  await stage.live();
  window.dispatchEvent(new Event(change));
  expect(sockets[0]?.gone).toBe(true);
  expect(stage.connection.link).toEqual({ kind: "connecting" });
  socket().open();
  expect(stage.joins.at(-1)).toBe(5);
});

test("a refused token is renewed; a session that is over signs out", async () => {
  await stage.watch();
  socket().fail(Object.assign(new Error("expired"), { data: undefined }));
  await pass(0);
  expect(stage.access.taking).toHaveBeenCalledTimes(1);
  expect(stage.connection.link.kind).toBe("reconnecting");
  await pass(1_000);
  socket().open();
  stage.access.taking.mockRejectedValue(new Problem(401, "Signed out"));
  socket().cut("io server disconnect");
  await pass(0);
  expect(stage.connection.link).toEqual({ kind: "signed out" });
  await pass(120_000);
  expect(sockets).toHaveLength(2);
  stage.access.signIn(true);
  expect(sockets).toHaveLength(3);
});

test("a token that ends on an open wire is renewed, and the same wire opened again at once", async () => {
  await stage.streaming();
  stage.stream.log(6);
  stage.stream.deliver("token_expired", {});
  await pass(0);
  expect(stage.connection.link).toEqual({ kind: "connecting" });
  expect(sockets).toHaveLength(1);
  stage.stream.open();
  await pass(0);
  expect(stage.stream.rooms).toEqual(["task:t@6"]);
  expect(stage.connection.link).toEqual({ kind: "live", wire: "sse" });
});

test("hands a renewed token to the open socket", async () => {
  await stage.live();
  stage.access.renewed("fresh");
  expect(socket().asked("refresh_token")).toEqual([{ token: "fresh" }]);
  socket().answer("refresh_token", { ok: false });
  expect(stage.connection.link.kind).toBe("reconnecting");
});

test("callbacks of an abandoned attempt are ignored", async () => {
  await stage.live();
  const abandoned = socket();
  window.dispatchEvent(new Event("online"));
  abandoned.log(6);
  abandoned.open();
  abandoned.fail(new Error("late"));
  abandoned.cut();
  expect(stage.connection.link).toEqual({ kind: "connecting" });
  expect(stage.seen).toEqual(["snapshot 5"]);
});


test("a wire that is accepted and carries nothing does not end the back-off, one that joins a room or stays does", async () => {
  await stage.live();
  const delays: number[] = [];
  const cut = async (): Promise<void> => {
    socket().cut();
    const { link } = stage.connection;
    const delay = link.kind === "reconnecting" ? link.until - Date.now() : 0;
    delays.push(delay / 1_000);
    await pass(delay);
    socket().open();
  };
  for (let times = 0; times < 3; times++) await cut();
  stage.take(5);
  for (let times = 0; times < 2; times++) await cut();
  await pass(9_999);
  await cut();
  await pass(10_000);
  await cut();
  expect(delays).toEqual([1, 2, 4, 1, 2, 4, 1]);
});

test("a listener that throws stops neither other listeners nor the connection", async () => {
  const report = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  const later = vi.fn();
  stage.connection.listen(() => {
    throw new Error("a fault of the page");
  });
  stage.connection.listen(later);
  stage.access.listen(() => {
    throw new Error("another fault of the page");
  });
  stage.connection.summary("t", () => undefined);
  socket().open();
  stage.access.renewed("fresh");
  socket().cut("io server disconnect");
  await pass(0);
  report.mockRestore();
  expect(later).toHaveBeenCalled();
  expect(sockets).toHaveLength(2);
});
