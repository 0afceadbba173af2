// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { Connection } from "../client/watch";
import { ApiKeys } from "./api-keys";
import { task } from "./runs.fake";
import { begin, numbers, runs, server, settled, withRuns } from "./runs-stage.fake";
import { TrailList } from "./trail-list";
import { Tree } from "./tree";

/** What a server says after an update that has changed its cursors. */
const WRONG = new Problem(422, "Unprocessable", "The cursor is not valid", { cursor: ["A cursor of another list."] });

withRuns();

test("the list of runs begins anew, and goes on from there", async () => {
  server.pageSize = 2;
  await begin("/", 5);
  await runs.loadOlder();
  runs.top(false);
  const { tasks } = server.api;
  server.api.tasks = async (filter, limit, cursor) => {
    if (cursor) throw WRONG;
    return tasks(filter, limit);
  };
  await runs.loadOlder();
  await settled(1_500);
  expect([numbers(), runs.hasOlder, runs.older.value.kind, runs.problem.value]).toEqual([[5, 4], true, "idle", null]);

  server.api.tasks = tasks;
  await runs.loadOlder();
  expect([numbers(), runs.hasOlder]).toEqual([[5, 4, 3, 2], true]);
});

test("any other refusal of older runs stays a problem", async () => {
  server.pageSize = 2;
  await begin("/", 5);
  server.api.tasks = () => Promise.reject(new Problem(422, "Unprocessable", "", { limit: ["Too many."] }));
  await runs.loadOlder();
  expect(runs.older.value.kind).toBe("failed");
  expect(numbers()).toEqual([5, 4]);
});

test("the trail and the keys begin anew", async () => {
  await begin();
  const entries = (...ids: string[]) => ids.map((id) => ({ id }));
  const trail = vi.fn().mockResolvedValueOnce({ entries: entries("3", "2"), next: "old" });
  trail.mockRejectedValueOnce(WRONG).mockResolvedValueOnce({ entries: entries("4", "3"), next: "new" });
  const list = new TrailList({ trail }, {});
  await list.load();
  await list.more();
  expect([list.entries.value?.map(({ id }) => id), list.next.value, list.problem.value, list.busy.value]).toEqual([["4", "3"], "new", null, false]);

  const keys = vi.fn().mockResolvedValueOnce({ keys: entries("b"), next: "old" });
  keys.mockRejectedValueOnce(WRONG).mockResolvedValueOnce({ keys: entries("c"), next: "new" });
  const all = new ApiKeys({ keys, makeKey: vi.fn(), revokeKey: vi.fn() });
  await all.load();
  await all.more();
  expect([all.rows.value?.map(({ id }) => id), all.next.value, all.problem.value]).toEqual([["c"], "new", null]);
});

test("the children of a run begin anew", async () => {
  await begin();
  const row = (id: string) => ({ ...task(1), task_id: id, parent_id: "root", step: null, approval: null, children: { tasks: 0, ended: 0, failed: 0 }, steps: null, ahead: null });
  const tree = vi.fn().mockResolvedValueOnce({ tasks: [row("a")], next: "old" });
  tree.mockRejectedValueOnce(WRONG).mockResolvedValueOnce({ tasks: [row("a"), row("b")], next: "new" });
  tree.mockResolvedValueOnce({ tasks: [row("c")], next: null });
  const all = new Tree("root", { tree }, { summary: () => ({ stop: () => undefined }) } as unknown as Connection);
  await all.load();
  await all.more("root");
  expect([all.idsOf("root"), all.hasMore("root"), all.problem.value]).toEqual([["a", "b"], true, null]);

  await all.more("root");
  expect([all.idsOf("root"), all.hasMore("root")]).toEqual([["a", "b", "c"], false]);
  expect(tree.mock.calls.map(([, cursor]) => cursor)).toEqual([undefined, "old", undefined, "new"]);
  all.stop();
});
