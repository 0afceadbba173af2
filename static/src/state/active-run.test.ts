// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ActiveState, Task } from "../client/types";
import { ActiveRun } from "./active-run";
import { FakeServer, task } from "./runs.fake";

let server: FakeServer;
let newest: Task | null;
let waiting: number;
let active: ActiveRun;

const settled = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const shown = () => [active.row.value?.task.task_id, active.row.value?.task.status];

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  newest = null;
  waiting = 0;
  const api = { active: async (): Promise<ActiveState | null> => newest && { task: newest, phases: [], sequence: 3, waiting_below: waiting } };
  active = new ActiveRun(api, server.connection, (error) => {
    throw error;
  });
  await settled();
});
afterEach(() => {
  active.stop();
  vi.useRealTimers();
});

test("a run that is started is shown and watched to its end, which stays", async () => {
  expect(active.row.value).toBeNull();
  newest = task(1, "STARTED");
  server.start(1);
  await settled(500);
  expect(shown()).toEqual(["id-001", "STARTED"]);
  expect([...server.summaries.keys()]).toEqual(["id-001"]);

  newest = null;
  server.emit("status_changed", { task_id: "id-001", status: "SUCCESS", previous_status: "STARTED" });
  await settled(500);
  expect(shown()).toEqual(["id-001", "SUCCESS"]);
});

test("when it has ended the next one takes its place", async () => {
  newest = task(2, "STARTED");
  server.start(2);
  await settled(500);
  newest = task(1, "STARTED");
  server.emit("status_changed", { task_id: "id-002", status: "FAILURE", previous_status: "STARTED" });
  await settled(500);
  expect(shown()).toEqual(["id-001", "STARTED"]);
});

test("the steps of another run are part of it", async () => {
  newest = task(1, "STARTED");
  server.emit("task_created", { task_id: "id-001", status: "PENDING", parent_id: "id-000" });
  await settled(500);
  expect(active.row.value).toBeNull();
});

test("a step that waits for approval is known as long as it waits", async () => {
  newest = task(1, "STARTED");
  server.start(1);
  await settled(500);
  expect(active.row.value?.task.waiting_below).toBe(0);

  waiting = 1;
  server.emit("status_changed", { task_id: "id-000", status: "WAITING", previous_status: null });
  await settled(500);
  expect(active.row.value?.task.waiting_below).toBe(1);

  waiting = 0;
  server.emit("status_changed", { task_id: "id-000", status: "PENDING", previous_status: "WAITING" });
  await settled(500);
  expect(active.row.value?.task.waiting_below).toBe(0);
});
