// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Problem } from "../client/problem";
import type { Status } from "../client/types";
import { task } from "./runs.fake";
import { begin, numbers, runs, server, settled, status, withRuns } from "./runs-stage.fake";

withRuns();

const parent = { parent_id: task(1).task_id };
const asked: unknown[] = [];

/** The server has these steps of the first run; the list does not. */
function withSteps(...steps: [number, Status][]): void {
  const { tasks } = server.api;
  asked.length = 0;
  server.api.tasks = async (filter, limit, cursor) => {
    asked.push(filter);
    if (!("parent_id" in filter)) return tasks(filter, limit, cursor);
    return { tasks: steps.map(([n, state]) => task(n, state, parent)).reverse(), next: null };
  };
}

const steps = (): number[] => runs.steps.ids.map((id) => Number(id.slice(3)));
const changed = (n: number, from: Status, to: Status): void =>
  server.emit("status_changed", { task_id: task(n).task_id, status: to, previous_status: from });

test("a run is unfolded and folded again, and its steps are live", async () => {
  await begin();
  withSteps([11, "SUCCESS"], [12, "STARTED"]);
  runs.steps.unfold(task(1).task_id, true);
  expect(runs.steps.open.value.get(task(1).task_id)).toMatchObject({ ids: [], note: true });
  await settled();
  expect([numbers(), steps()]).toEqual([[3, 2, 1], [11, 12]]);
  expect(asked).toEqual([{ scope: undefined, parent_id: task(1).task_id }]);

  changed(12, "STARTED", "FAILURE");
  expect(status(12)).toBe("FAILURE");
  runs.steps.unfold(task(1).task_id, false);
  expect(steps()).toEqual([]);
});

test("why steps are not there is said, and they can be asked for again", async () => {
  await begin();
  server.failing = new Problem(503, "The database is away");
  runs.steps.unfold(task(1).task_id, true);
  await settled();
  expect(runs.steps.open.value.get(task(1).task_id)?.problem?.status).toBe(503);

  server.failing = null;
  withSteps([11, "SUCCESS"]);
  await runs.steps.load(task(1).task_id);
  expect(runs.steps.open.value.get(task(1).task_id)).toMatchObject({ note: false, problem: null });
  expect(steps()).toEqual([11]);
});

test("events of steps are not counted among runs; of what the list does not know the counts are asked for", async () => {
  await begin();
  server.tally.counts.SUCCESS = 3;
  runs.refresh();
  await settled(1_500);
  server.asked = [];

  server.emit("task_created", { task_id: task(11).task_id, status: "PENDING", ...parent });
  changed(11, "PENDING", "STARTED");
  expect(runs.counts.value.value).toMatchObject({ PENDING: 0, STARTED: 0, SUCCESS: 3 });
  await settled(1_500);
  expect(server.asked).toEqual(["first"]);

  changed(99, "STARTED", "SUCCESS");
  await settled(1_500);
  expect(server.asked).toEqual(["first", "first", "counts"]);
});

test("in a list of all steps each counts", async () => {
  await begin("/?steps=true");
  server.emit("task_created", { task_id: task(11).task_id, status: "PENDING", ...parent });
  expect(runs.counts.value.value?.PENDING).toBe(1);
});
