// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Problem } from "../client/problem";
import { task } from "./runs.fake";
import { begin, numbers, runs, server, settled, status, withRuns } from "./runs-stage.fake";

withRuns();

test("a new run comes in at the top; many are asked for together", async () => {
  await begin();
  server.asked = [];
  server.start(4);
  server.start(5);
  await settled(1_500);
  expect(numbers()).toEqual([5, 4, 3, 2, 1]);
  expect(server.asked).toEqual(["first"]);
});

test("while one reads further down new runs wait, and come in at the top again", async () => {
  await begin();
  runs.top(false);
  server.start(4);
  await settled(1_500);
  expect([numbers(), runs.waiting.value]).toEqual([[3, 2, 1], 1]);

  runs.top(true);
  expect([numbers(), runs.waiting.value]).toEqual([[4, 3, 2, 1], 0]);
});

test("older pages join without gap or repeat, to the end", async () => {
  server.pageSize = 2;
  await begin("/", 5);
  server.start(6);
  await runs.loadOlder();
  await settled(1_500);
  expect([numbers(), runs.hasOlder]).toEqual([[6, 5, 4, 3, 2], true]);

  await runs.loadOlder();
  expect([numbers(), runs.hasOlder]).toEqual([[6, 5, 4, 3, 2, 1], false]);
});

test("a page in which the filter found nothing is followed by the next, the first one too", async () => {
  await begin("/?status=FAILURE", 0);
  const { tasks } = server.api;
  const pages = [[], [4], [], [], [1]].map((ids) => ids.map((n) => task(n, "FAILURE")));
  server.api.tasks = async (_filter, _limit, cursor) => {
    const at = Number(cursor ?? 0);
    return { tasks: pages[at] ?? [], next: at + 1 < pages.length ? String(at + 1) : null };
  };
  runs.refresh();
  await settled(1_500);
  expect([numbers(), runs.hasOlder]).toEqual([[4], true]);

  await runs.loadOlder();
  expect([numbers(), runs.hasOlder]).toEqual([[4, 1], false]);
  server.api.tasks = tasks;
});

test("what waits is not lost while older pages are loaded", async () => {
  server.pageSize = 2;
  await begin("/", 4);
  runs.top(false);
  server.start(5);
  await settled(1_500);
  await runs.loadOlder();
  runs.takeIn();
  expect(numbers()).toEqual([5, 4, 3, 2, 1]);
  expect(status(5)).toBe("PENDING");
});

test("a run that moved up to the first page is not listed again by an older one", async () => {
  server.pageSize = 2;
  await begin("/?status=STARTED", 0);
  server.tasks = [1, 2, 3, 4].map((n) => task(n, "STARTED"));
  runs.refresh();
  await settled();
  server.tasks[3] = task(4, "SUCCESS");
  runs.refresh();
  await settled();
  await runs.loadOlder();
  expect(numbers()).toEqual([3, 2, 1]);
});

test("more new runs than a page holds leave no gap: the list begins anew", async () => {
  server.pageSize = 2;
  await begin("/", 4);
  runs.top(false);
  for (const n of [5, 6, 7]) server.start(n);
  await settled(1_500);
  expect([numbers(), runs.waiting.value]).toEqual([[4, 3], 2]);

  runs.takeIn();
  expect(numbers()).toEqual([7, 6]);
  await runs.loadOlder();
  expect(numbers()).toEqual([7, 6, 5, 4]);
});

test("an older page that comes after the list began anew is dropped", async () => {
  server.pageSize = 2;
  await begin("/", 4);
  let release = (): void => undefined;
  server.holding = new Promise((done) => (release = done));
  const older = runs.loadOlder();
  for (const n of [5, 6, 7]) server.tasks.push(task(n));
  runs.refresh();
  await settled();
  release();
  await older;
  expect(numbers()).toEqual([7, 6]);
});

test("an answer that fails is asked for again, and the list stays", async () => {
  await begin();
  server.failing = new Problem(503, "Busy");
  runs.refresh();
  await settled();
  expect([runs.problem.value?.status, numbers()]).toEqual([503, [3, 2, 1]]);

  server.failing = null;
  await settled(1_000);
  expect(runs.problem.value).toBeNull();
});

test("on a server slower than what happens, each answer is shown, and one is asked for at a time", async () => {
  await begin();
  server.asked = [];
  let answer = (): void => undefined;
  server.slow = new Promise((done) => (answer = done));
  for (let n = 4; n < 10; n++) {
    server.start(n);
    await settled(2_000);
  }
  expect([server.asked, numbers()]).toEqual([["first"], [3, 2, 1]]);

  answer();
  await settled();
  expect(numbers()).toEqual([4, 3, 2, 1]);
  await settled(1_000);
  expect([server.asked.length, numbers()]).toEqual([2, [9, 8, 7, 6, 5, 4, 3, 2, 1]]);
});

test("a list that is left asks no more", async () => {
  await begin();
  server.failing = new Problem(503, "Busy");
  runs.refresh();
  runs.stop();
  server.asked = [];
  await settled(60_000);
  expect(server.asked).toEqual([]);
});

test.each(["/", "/?scope=tenant"])("what the server refuses is not asked for again by itself: %s", async (address) => {
  server.failing = new Problem(403, "No");
  await begin(address);
  await settled(120_000);
  expect(server.asked.filter((what) => what === "first")).toHaveLength(1);
});

test("a tenant's list that was refused goes on when the reader asks and gets it", async () => {
  server.failing = new Problem(403, "No");
  await begin("/?scope=tenant");
  server.failing = null;
  runs.refresh();
  await settled();
  server.tasks.push(task(4));
  await settled(30_000);
  expect(numbers()).toEqual([4, 3, 2, 1]);
});

test("announcements to all users are no news of runs", async () => {
  await begin();
  server.asked = [];
  server.emit("task_created", { stream: "broadcast", status: "PENDING" });
  await settled(2_000);
  expect(server.asked).toEqual([]);
});

test("the runs of a tenant are loaded again, because no event reports them: soon after a change, later ever more seldom", async () => {
  await begin("/?scope=tenant");
  const loads = (): number => server.asked.filter((what) => what === "first").length;
  await settled(120_000);
  server.tasks.push(task(4));
  await settled(30_000);
  expect(numbers()).toEqual([4, 3, 2, 1]);

  const before = loads();
  server.tasks.push(task(5));
  await settled(2_000);
  server.tasks.push(task(6));
  await settled(2_000);
  expect([numbers(), loads() - before]).toEqual([[6, 5, 4, 3, 2, 1], 2]);
  await settled(600_000);
  expect(loads() - before).toBeLessThan(30);
});

test("the end of a run is counted in a list with a filter too", async () => {
  await begin("/?job_type=echo");
  const counts = (): number => server.asked.filter((what) => what === "counts").length;
  const before = counts();
  server.emit("status_changed", { task_id: task(1).task_id, status: "REVOKED", previous_status: "STARTED", parent_id: null });
  await settled(2_000);
  expect(counts() - before).toBe(1);
});

test("a reader who comes back finds the list as it was, with the news since", async () => {
  await begin();
  runs.stop();
  server.start(4);
  await settled(5_000);
  expect(numbers()).toEqual([3, 2, 1]);
  runs.start();
  await settled();
  expect(numbers()).toEqual([4, 3, 2, 1]);
  expect(server.sinks.size).toBe(1);
});
