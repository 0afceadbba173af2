import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { PlannedStep } from "../client/tree";
import type { Task } from "../client/types";
import { failedLeaf, moved, outline, stepsOf, type OutlineRow } from "./outline";
import { rowOf } from "./rows";
import type { About, Tree, TreeNode } from "./tree";

const NONE = { tasks: 0, ended: 0, failed: 0 };

/** A tree of these tasks: "id": [its parent, what is known of it]. */
function treeOf(tasks: Record<string, [parent: string, fields?: Partial<Task>, about?: Partial<About>]>, more: string[] = []): Tree {
  const ids = (parent: string) => Object.keys(tasks).filter((id) => tasks[id]![0] === parent);
  const nodes = new Map<string, TreeNode>();
  for (const [task_id, [, fields, about]] of Object.entries(tasks)) {
    const children = { ...NONE, tasks: ids(task_id).length };
    nodes.set(task_id, {
      row: signal(rowOf({ ...NOTHING.task, task_id, title: task_id, job_type: "job", status: "STARTED", started_at: "1", ...fields })),
      about: signal({ step: null, approval: null, steps: null, children, ...about }),
    });
  }
  return { rootId: "root", nodes, idsOf: ids, hasMore: (parent: string) => more.includes(parent) } as unknown as Tree;
}

const root = (fields: Partial<Task> = {}, steps: readonly PlannedStep[] | null = null) => ({
  task: { ...NOTHING.task, task_id: "root", status: "STARTED", ...fields } as Task,
  steps,
});

const drawn = (rows: readonly OutlineRow[]): string[] =>
  rows.map((row) => {
    const text = row.kind === "task" ? `${row.id}${row.open === null ? "" : row.open ? " -" : " +"}` : row.kind === "planned" ? `(${row.name}: ${row.says})` : `… ${row.shown}/${row.total}`;
    return "  ".repeat(row.level - 1) + text;
  });

test("what is below is shown below, at any depth", () => {
  const tree = treeOf({ a: ["root"], b: ["a"], c: ["b"], d: ["c"], z: ["root"] });

  const rows = outline(tree, root(), new Map());

  expect(drawn(rows)).toEqual(["a -", "  b -", "    c -", "      d", "z"]);
  expect(rows.map(({ position, size }) => `${position}/${size}`)).toEqual(["1/2", "1/1", "1/1", "1/1", "2/2"]);
});

test("in a long list what is below a row is shown when it is opened; a short one can be closed", () => {
  const rows = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`row${n}`, ["root"] as [string]]));
  const tree = treeOf({ ...rows, deep: ["row3"] });
  expect(outline(tree, root(), new Map())).toHaveLength(9);

  expect(drawn(outline(tree, root(), new Map([["row3", true]]))).slice(3, 5)).toEqual(["row3 -", "  deep"]);
  expect(drawn(outline(treeOf({ a: ["root"], b: ["a"] }), root(), new Map([["a", false]])))).toEqual(["a +"]);
});

test("a circle of parents is drawn once", () => {
  expect(drawn(outline(treeOf({ a: ["root"], b: ["a"], root: ["b"] }), root(), new Map()))).toEqual(["a -", "  b -"]);
});

test("steps that have not begun say after which they come, and when the run is over that they were not reached", () => {
  const steps = [{ job_type: "kb", title: "First" }, { job_type: "quiz" }, { job_type: "mail", title: "Tell" }];
  const tree = treeOf({ a: ["root", {}, { step: 1 }] });
  expect(drawn(outline(tree, root({}, steps), new Map()))).toEqual(["a", "(quiz: next, after First)", "(Tell: after quiz)"]);

  const failed = treeOf({ a: ["root", { status: "FAILURE" }, { step: 1 }] });
  const error = { type: "SubtaskFailed", message: "Step 1 (kb): no", phase: "1_kb" };

  expect(drawn(outline(failed, root({ status: "FAILURE", error }, steps), new Map())).slice(1)).toEqual([
    "(quiz: not reached: step 1 failed)",
    "(Tell: not reached: step 1 failed)",
  ]);
  expect(drawn(outline(treeOf({}), root({ status: "REVOKED" }, steps), new Map()))[0]).toBe("(First: not reached: the run was ended)");
});

test("steps of a step are ahead below it, before they are tasks", () => {
  const tree = treeOf({ a: ["root", {}, { step: 1, steps: [{ job_type: "x" }, { job_type: "y" }] }], b: ["a", {}, { step: 1 }] });

  expect(drawn(outline(tree, root(), new Map()))).toEqual(["a -", "  b", "  (y: next, after x)"]);
});

test("where more children are than are known, a row says so, and none is said to be ahead", () => {
  const tree = treeOf({ a: ["root"] }, ["root"]);

  expect(drawn(outline(tree, root({}, [{ job_type: "x" }, { job_type: "y" }]), new Map()))).toEqual(["a", "… 1/null"]);
});

test("arrow keys go down, up, in and out", () => {
  const rows = outline(treeOf({ a: ["root"], b: ["a"], z: ["root"] }), root(), new Map());

  expect([moved(rows, 0, "ArrowDown"), moved(rows, 2, "ArrowDown"), moved(rows, 0, "ArrowUp")]).toEqual([1, 2, 0]);
  expect([moved(rows, 1, "Home"), moved(rows, 0, "End")]).toEqual([0, 2]);
  expect([moved(rows, 0, "ArrowRight"), moved(rows, 1, "ArrowRight")]).toEqual([1, null]);
  expect([moved(rows, 1, "ArrowLeft"), moved(rows, 0, "ArrowLeft"), moved(rows, 2, "ArrowLeft")]).toEqual([0, { toggle: "a", open: false }, null]);
  expect(moved(rows, 0, "x")).toBeNull();
  const closed = outline(treeOf({ a: ["root"], b: ["a"] }), root(), new Map([["a", false]]));
  expect(moved(closed, 0, "ArrowRight")).toEqual({ toggle: "a", open: true });
});

test("the task by which a run failed is the deepest one", () => {
  const failed = { status: "FAILURE" } as const;

  expect(failedLeaf(treeOf({ a: ["root"], b: ["root", failed], c: ["b", failed] }))).toBe("c");
  expect(failedLeaf(treeOf({ a: ["root"] }))).toBeNull();
});

test("only an orchestration was asked for steps", () => {
  const params = { steps: [{ job_type: "kb", title: "First", params: {} }, null] };

  expect(stepsOf({ ...NOTHING.task, job_type: "orchestrate", params }, "orchestrate")).toEqual([
    { job_type: "kb", title: "First" },
    { job_type: "undefined", title: null },
  ]);
  expect(stepsOf({ ...NOTHING.task, job_type: "kb", params }, "orchestrate")).toBeNull();
});
