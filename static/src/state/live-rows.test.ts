// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { task } from "./runs.fake";
import { begin, numbers, runs, server, settled, status, withRuns } from "./runs-stage.fake";

withRuns();

test("what no longer matches stays where it is until the list is loaded again", async () => {
  await begin("/?status=STARTED", 0);
  server.tasks = [task(1, "STARTED"), task(2, "STARTED")];
  runs.refresh();
  await settled();
  server.tasks[0] = task(1, "SUCCESS", { updated_at: "2025-01-01T00:59:00.000000Z" });
  server.emit("status_changed", { task_id: task(1).task_id, status: "SUCCESS", previous_status: "STARTED" });
  await settled(1_500);
  expect([numbers(), status(1)]).toEqual([[2, 1], "SUCCESS"]);

  server.tasks.push(task(3, "STARTED"));
  server.emit("status_changed", { task_id: task(3).task_id, status: "STARTED", previous_status: "PENDING" });
  await settled(1_500);
  expect(numbers()).toEqual([3, 2]);
});

test("the unfinished runs on the screen are watched, and none else", async () => {
  await begin();
  server.start(4);
  server.start(5);
  await settled(1_500);
  runs.visible([task(4).task_id, task(3).task_id]);
  await settled(200);
  expect([...server.summaries.keys()]).toEqual([task(4).task_id]);

  server.summaries.get(task(4).task_id)?.({
    type: "phase_update",
    sequence: 3,
    phase_id: "a",
    status: "in_progress",
    message: "Half",
    progress: 50,
    timestamp: "2025-01-01T00:58:00.000000Z",
  });
  await settled(300);
  expect(runs.row(task(4).task_id).value.task).toMatchObject({ progress: 50, current_phase_message: "Half" });

  server.summaries.get(task(4).task_id)?.({ type: "task_status", sequence: 4, status: "SUCCESS", progress: 100 });
  await settled(500);
  expect([status(4), server.summaries.size]).toEqual(["SUCCESS", 0]);
});

test("a run of which only the end is known is watched once it is on the screen", async () => {
  await begin("/", 0);
  server.start(1);
  await settled(1_500);
  server.emit("status_changed", { task_id: task(1).task_id, status: "FAILURE", previous_status: "PENDING" });
  runs.visible([task(1).task_id]);
  await settled(200);
  expect([status(1), server.summaries.size]).toEqual(["FAILURE", 1]);
});
