import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { socketWire } from "./socketWire";
import { FakeAccess } from "./testing/page";
import { io, socket, sockets } from "./testing/sockets";
import type { Room, Wire } from "./wire";

vi.mock("socket.io-client", () => ({
  io: (...given: [never] | [string, never]) => io(given.at(-1) as never),
}));

const room = (name: string, cursor: number | null = 5): Room => ({
  name,
  types: null,
  rank: 1,
  cursor,
  joined: vi.fn(),
  event: vi.fn(),
  resync: vi.fn(),
  ended: vi.fn(),
  refused: vi.fn(),
  left: vi.fn(),
  poll: vi.fn(),
});
const closed = vi.fn();
let wire: Wire;

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
  closed.mockReset();
  wire = socketWire(new FakeAccess())({ opened: vi.fn(), joined: vi.fn(), closed });
  socket().open();
});
afterEach(() => vi.useRealTimers());
const sent = (): string[] => socket().sent.map(({ name }) => name);

test("signs in with the token of the moment", () => {
  const access = new FakeAccess();
  socketWire(access)({ opened: vi.fn(), joined: vi.fn(), closed });
  access.renewed("fresh");
  let credentials = {};
  socket().options.auth?.((given) => (credentials = given));
  expect(credentials).toEqual({ token: "fresh", batch: true });
});

test("takes the events of a moment from one message, in order, and none after it was closed", () => {
  const [task, user] = [room("task:t"), room("user")];
  const log = (sequence: number): [string, object] => ["log", { stream: "task:t", sequence }];
  wire.join(task);
  wire.join(user);
  socket().deliver("events", [log(6), ["events", { stream: "user:u", sequence: 9 }], log(7)]);
  expect(vi.mocked(task.event).mock.calls.map(([event]) => event.sequence)).toEqual([6, 7]);
  expect(user.event).toHaveBeenCalledExactlyOnceWith({ stream: "user:u", type: "events", sequence: 9 });
  vi.mocked(task.event).mockImplementation(() => wire.close());
  socket().deliver("events", [log(8), log(9)]);
  expect(task.event).toHaveBeenCalledTimes(3);
});

test("one request a room at a time, for a leave could overtake its join", () => {
  const task = room("task:t");
  wire.join(task);
  wire.leave(task);
  wire.join(task);
  expect(sent()).toEqual(["join_task"]);
  socket().answer("join_task", { ok: true, sequence: 7 });
  expect(task.joined).not.toHaveBeenCalled();
  expect(sent()).toEqual(["leave_task"]);
  socket().answer("leave_task", { ok: true });
  socket().answer("join_task", { ok: true, sequence: 7 });
  expect(task.joined).toHaveBeenCalledExactlyOnceWith(7, 5);
  expect(sent()).toEqual([]);
});

test("a room that was left gets no events", () => {
  const task = room("task:t");
  wire.join(task);
  socket().answer("join_task", { ok: true, sequence: 7 });
  wire.leave(task);
  socket().log(6);
  expect(task.event).not.toHaveBeenCalled();
});

test("a join without a cursor gives the first position", () => {
  const [task, user] = [room("task:t", null), room("user", null)];
  wire.join(task);
  wire.join(user);
  socket().answer("join_task", { ok: true, sequence: 7 });
  socket().answer("join_events", { ok: true, sequence: 9 });
  expect(task.joined).toHaveBeenCalledWith(7, null);
  expect(user.joined).toHaveBeenCalledWith(9, 9);
});

test("a join that fails with 401 ends it", () => {
  wire.join(room("task:t"));
  socket().answer("join_task", { ok: false, error: { status: 401, title: "No" } });
  expect(closed).toHaveBeenCalledExactlyOnceWith("denied");
  expect(socket().gone).toBe(true);
});

test.each([429, 503])("a join that fails with %i is tried again with back-off, and ends nothing", async (status) => {
  const task = room("task:t");
  wire.join(task);
  for (const delay of [1_000, 2_000, 4_000]) {
    socket().answer("join_task", { ok: false, error: { status, title: "Not now" } });
    await vi.advanceTimersByTimeAsync(delay / 2 - 1);
    expect(sent()).toEqual([]);
    await vi.advanceTimersByTimeAsync(delay / 2 + 1);
    expect(sent()).toEqual(["join_task"]);
  }
  socket().answer("join_task", { ok: true, sequence: 7 });
  expect(task.joined).toHaveBeenCalledExactlyOnceWith(7, 5);
  expect(closed).not.toHaveBeenCalled();
});

test("a room that was left is not tried again", async () => {
  const task = room("task:t");
  wire.join(task);
  socket().answer("join_task", { ok: false, error: { status: 503 } });
  wire.leave(task);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent()).toEqual([]);
});

test("one join without an answer is tried again while others are answered; none at all is a cut", async () => {
  wire.join(room("task:t"));
  wire.join(room("user"));
  socket().answer("join_events", { ok: true, sequence: 9 });
  socket().silence("join_task");
  expect(closed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent()).toEqual(["join_task"]);
  socket().silence("join_task");
  expect(closed).toHaveBeenCalledExactlyOnceWith("cut");
});

test("nothing comes after a close", () => {
  const task = room("task:t");
  wire.join(task);
  wire.close();
  socket().answer("join_task", { ok: true, sequence: 7 });
  socket().log(6);
  socket().cut();
  expect(task.joined).not.toHaveBeenCalled();
  expect(task.event).not.toHaveBeenCalled();
  expect(closed).not.toHaveBeenCalled();
});
