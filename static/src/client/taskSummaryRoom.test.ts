// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { noting, snapshotAt } from "./testing/page";
import { io, socket } from "./testing/sockets";
import { pass, Stage } from "./testing/stage";
import type { TaskEvent } from "./types";

vi.mock("socket.io-client", () => ({ io: (options: never) => io(options) }));

let stage: Stage;
let events: string[];
beforeEach(() => {
  stage = new Stage();
  events = [];
});
afterEach(() => stage.end());

const TYPES = ["task_status", "phase_update", "phase_complete"];
const record = ({ type, sequence, phase_id = "" }: TaskEvent): number =>
  events.push(`${type} ${phase_id as string} ${sequence}`.replace("  ", " "));
const deliver = (type: string, sequence: number, phase_id?: string): void =>
  socket().deliver(type, { stream: "task:t", sequence, phase_id, status: "in_progress" });
const phase = { phase_id: "read", status: "in_progress", sequence: 4, updated_at: "2026-01-01T00:00:00Z" };
const withPhase = { ...snapshotAt(5), phases: [phase] } as unknown;

test.each(["summary", "standing"] as const)("%s asks the socket for the present state and no log lines", (name) => {
  stage.connection[name]("t", record);
  socket().open();
  expect(socket().asked("join_task")).toEqual([{ task_id: "t", types: TYPES }]);
  stage.take(9);
  deliver("task_status", 2);
  deliver("phase_update", 8, "read");
  deliver("log", 9);
  deliver("phase_complete", 10, "read");
  expect(events).toEqual(["task_status 2", "phase_update read 8", "phase_complete read 10"]);
  expect(stage.server.asked).toEqual([]);
});

test("after a cut it resumes, and passes on nothing older than before", async () => {
  stage.connection.summary("t", record);
  socket().open();
  stage.take(8);
  deliver("task_status", 2);
  deliver("phase_update", 8, "read");
  socket().cut();
  await pass(1_000);
  socket().open();
  expect(stage.joins).toEqual([8]);
  stage.take(9);
  deliver("phase_update", 8, "read");
  deliver("phase_update", 9, "read");
  expect(events.slice(2)).toEqual(["phase_update read 9"]);
});

test("over a stream the present state is asked for by REST", async () => {
  stage.server.answers.set("/tasks/t/status", withPhase);
  stage.connection.summary("t", record);
  stage.block();
  await pass(0);
  stage.stream.open();
  await pass(0);
  expect(stage.stream.rooms).toEqual(["task:t@latest"]);
  stage.stream.open({ "task:t": 5 });
  await pass(0);
  expect(events).toEqual(["task_status 5", "phase_update read 5"]);
});

test("while polling it is asked for at each round, until the task has ended", async () => {
  stage.connection.summary("t", record);
  await stage.blockBoth();
  expect(events).toEqual(["task_status 5"]);
  stage.server.answers.set("/tasks/t/status", snapshotAt(9, "SUCCESS"));
  await pass(10_000);
  expect(events).toEqual(["task_status 5", "task_status 9"]);
  const asked = stage.server.asked.length;
  await pass(10_000);
  expect(stage.server.asked).toHaveLength(asked);
});

test("shares the room of one who watches the whole task", async () => {
  stage.server.answers.set("/tasks/t/status", withPhase);
  const whole = stage.connection.task("t", stage.notes.sink);
  stage.connection.summary("t", record);
  socket().open();
  await pass(0);
  expect(socket().asked("join_task")).toEqual([{ task_id: "t", since_sequence: 5 }]);
  stage.take(5);
  socket().log(6);
  deliver("phase_update", 7, "read");
  expect(stage.seen).toEqual(["snapshot 5", 6, 7]);
  expect(events).toEqual(["task_status 5", "phase_update read 5", "phase_update read 7"]);
  whole.stop();
  socket().answer("leave_task", { ok: true });
  expect(socket().asked("join_task")).toEqual([{ task_id: "t", types: TYPES }]);
});

test("who watches a task that is watched already begins with a snapshot", async () => {
  await stage.live(5);
  socket().log(6);
  stage.server.answers.set("/tasks/t/status", snapshotAt(6));
  const later = noting();
  stage.connection.task("t", later.sink);
  await pass(0);
  socket().answer("leave_task", { ok: true });
  stage.take(6);
  socket().log(7);
  expect(later.seen).toEqual(["snapshot 6", 7]);
  expect(stage.seen).toEqual(["snapshot 5", 6, "snapshot 6", 7]);
});

test("beyond what the wire carries it waits until there is room, and tasks come first", async () => {
  const watches = Array.from({ length: 64 }, (_, index) => stage.connection.summary(`s${index}`, record));
  socket().open();
  expect(socket().asked("join_task")).toHaveLength(64);
  for (let index = 0; index < 64; index++) socket().answer("join_task", { ok: true, sequence: 1 });
  stage.connection.summary("waits", record);
  expect(socket().sent).toEqual([]);
  await stage.watch();
  expect(socket().sent.map(({ name, body }) => [name, body.task_id])).toEqual([["leave_task", "s63"]]);
  socket().answer("leave_task", { ok: true });
  expect(socket().asked("join_task")).toEqual([{ task_id: "t", since_sequence: 5 }]);
  watches[0]?.stop();
  socket().answer("leave_task", { ok: true });
  expect(socket().asked("join_task").map(({ task_id }) => task_id)).toEqual(["t", "s63"]);
  watches[63]?.stop();
  stage.take(5);
  socket().answer("join_task", { ok: true, sequence: 1 });
  socket().answer("leave_task", { ok: true });
  expect(socket().asked("join_task").map(({ task_id }) => task_id)).toEqual(["waits"]);
});

test("over a stream the end of a task that has ended is loaded by one request, and its place is free", async () => {
  stage.server.answers.set("/tasks/t/status", snapshotAt(9, "SUCCESS"));
  stage.connection.summary("t", record);
  stage.block();
  await pass(0);
  stage.stream.open();
  await pass(0);
  stage.stream.open({ "task:t": 9 });
  stage.stream.deliver("end", { stream: "task:t" });
  await pass(0);
  expect(events).toEqual(["task_status 9"]);
  expect(stage.server.asked.filter((address) => address.includes("/status"))).toHaveLength(1);
  expect(stage.stream.rooms).toEqual(["broadcast"]);
});
