// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { noting } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
let notes: ReturnType<typeof noting>;
beforeEach(() => {
  stage = new Stage();
  notes = noting();
});
afterEach(() => stage.end());

const deliver = (...sequences: number[]): void => {
  for (const sequence of sequences) socket().deliver("notification", { stream: "user:1", sequence });
};

function join(head = 10): void {
  socket().answer("join_events", { ok: true, stream: "user:1", sequence: head });
  socket().answer("join_broadcast", { ok: true, stream: "broadcast", sequence: 3 });
}

function live(head = 10): void {
  stage.connection.user(notes.user);
  socket().open();
  join(head);
}

test("joins first and loads then, so that no event in between is missed", () => {
  stage.connection.user(notes.user);
  socket().open();
  expect(socket().asked("join_events")).toEqual([{}]);
  expect(notes.seen).toEqual([]);
  join();
  deliver(11);
  socket().deliver("notification", { stream: "broadcast", sequence: 4 });
  expect(notes.seen).toEqual(["refresh", 11, 4]);
});

test("is not kept waiting for a wire, and loads once more when there is one", async () => {
  stage.connection.user(notes.user);
  await pass(500);
  expect(notes.seen).toEqual(["refresh"]);
  await pass(5_000);
  socket().open();
  join();
  expect(notes.seen).toEqual(["refresh", "refresh"]);
});

test("after a cut it resumes after its last event, and needs to load nothing", async () => {
  live();
  deliver(11, 12, 12);
  socket().cut();
  await pass(1_000);
  socket().open();
  expect(socket().asked("join_events")).toEqual([{ since_sequence: 12 }]);
  expect(socket().asked("join_broadcast")).toEqual([{ since_sequence: 3 }]);
  join(13);
  deliver(12, 13);
  expect(notes.seen).toEqual(["refresh", 11, 12, 13]);
});

test("a gap joins again, and one that stays is loaded", () => {
  live();
  deliver(11, 13);
  socket().answer("leave_events", { ok: true });
  expect(socket().asked("join_events")).toEqual([{ since_sequence: 11 }]);
  socket().answer("join_events", { ok: true, sequence: 13 });
  deliver(12, 13);
  expect(notes.seen).toEqual(["refresh", 11, 12, 13]);
  deliver(15);
  socket().answer("leave_events", { ok: true });
  socket().answer("join_events", { ok: true, sequence: 15 });
  deliver(15);
  expect(notes.seen).toEqual(["refresh", 11, 12, 13, "refresh", 15]);
});

test("a gap in the announcements is closed, too", () => {
  live();
  for (const sequence of [4, 6]) socket().deliver("notification", { stream: "broadcast", sequence });
  socket().answer("leave_broadcast", { ok: true });
  expect(socket().asked("join_broadcast")).toEqual([{ since_sequence: 4 }]);
});

test("a cursor that is refused means to load, and events go on", () => {
  live();
  deliver(11);
  socket().deliver("resync", { stream: "user:1", reason: "pruned", oldest: 40, head: 50 });
  deliver(40, 41);
  expect(notes.seen).toEqual(["refresh", 11, "refresh", 40, 41]);
});

test("several watch by one room, and who comes later loads at once", async () => {
  live();
  const later = noting();
  const watch = stage.connection.user(later.user);
  await pass(0);
  deliver(11);
  expect(later.seen).toEqual(["refresh", 11]);
  expect(notes.seen).toEqual(["refresh", 11]);
  expect(socket().asked("join_events")).toEqual([]);
  watch.stop();
  deliver(12);
  expect(later.seen).toEqual(["refresh", 11]);
  expect(notes.seen).toEqual(["refresh", 11, 12]);
});

test("polling loads at each round, and coming back loads once more and gets what was missed", async () => {
  live();
  deliver(11);
  notes.seen.length = 0;
  socket().cut();
  while (stage.connection.link.kind === "reconnecting") {
    await pass(stage.connection.link.until - Date.now());
    await stage.blockBoth();
  }
  expect(notes.seen).toEqual(["refresh"]);
  await pass(20_000);
  expect(notes.seen).toEqual(["refresh", "refresh", "refresh"]);
  stage.connection.retryNow();
  socket().open();
  expect(socket().asked("join_events")).toEqual([{ since_sequence: 11 }]);
  join(12);
  deliver(12);
  expect(notes.seen.slice(3)).toEqual(["refresh", 12]);
});

test("the next user begins anew", async () => {
  live();
  deliver(11);
  stage.access.signIn(false);
  deliver(12);
  stage.access.signIn(true);
  expect(sockets).toHaveLength(2);
  socket().open();
  expect(socket().asked("join_events")).toEqual([{}]);
  join(2);
  deliver(3);
  expect(notes.seen).toEqual(["refresh", 11, "refresh", 3]);
});

test("a sink that fails on an event or a refresh keeps it from no other", async () => {
  const report = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  const fault = (): never => {
    throw new Error("a fault of the page");
  };
  stage.connection.user({ refresh: fault, event: fault });
  live();
  deliver(11);
  report.mockRestore();
  expect(notes.seen).toEqual(["refresh", 11]);
});

test("while polling only its turns load, also when another watch begins", async () => {
  stage.connection.user(notes.user);
  await stage.blockBoth();
  expect(notes.seen).toEqual(["refresh"]);
  await stage.watch();
  stage.access.renewed("fresh");
  await pass(5_000);
  expect(notes.seen).toEqual(["refresh"]);
  const later = noting();
  stage.connection.user(later.user);
  await pass(0);
  expect(later.seen).toEqual(["refresh"]);
  expect(notes.seen).toEqual(["refresh"]);
});

test("cut after a refused cursor and before the next event, it loads again what it joins without a cursor", async () => {
  live();
  deliver(11);
  socket().deliver("resync", { stream: "user:1", reason: "pruned", oldest: 40, head: 50 });
  expect(notes.seen).toEqual(["refresh", 11, "refresh"]);
  socket().cut();
  await pass(1_000);
  socket().open();
  expect(socket().asked("join_events")).toEqual([{}]);
  join(60);
  expect(notes.seen).toEqual(["refresh", 11, "refresh", "refresh"]);
});

test("a watch that begins during an event loads first, and gets no event before that", async () => {
  const late = noting();
  let begun = false;
  stage.connection.user({
    ...notes.user,
    event: (event) => {
      notes.user.event(event);
      if (!begun) stage.connection.user(late.user);
      begun = true;
    },
  });
  socket().open();
  join();
  deliver(11, 12);
  expect(late.seen).toEqual([]);
  await pass(0);
  deliver(13);
  expect(late.seen).toEqual(["refresh", 13]);
  expect(notes.seen).toEqual(["refresh", 11, 12, 13]);
});

test("a watch that is stopped during an event gets no more events", () => {
  const other = noting();
  const watch: { stop: () => void } = stage.connection.user({
    ...notes.user,
    event: (event) => {
      notes.user.event(event);
      second.stop();
      watch.stop();
    },
  });
  const second = stage.connection.user(other.user);
  socket().open();
  join();
  deliver(11, 12);
  expect(notes.seen).toEqual(["refresh", 11]);
  expect(other.seen).toEqual(["refresh"]);
});
