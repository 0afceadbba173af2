import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { AheadPart, PlannedStep } from "../client/tree";
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
      about: signal({ step: null, approval: null, steps: null, ahead: null, children, ...about }),
    });
  }
  return { rootId: "root", nodes, idsOf: ids, hasMore: (parent: string) => more.includes(parent) } as unknown as Tree;
}

const root = (fields: Partial<Task> = {}, steps: readonly PlannedStep[] | null = null, ahead: readonly AheadPart[] | null = null) => ({
  task: { ...NOTHING.task, task_id: "root", title: "root", status: "STARTED", ...fields } as Task,
  steps,
  ahead,
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

test("steps that run side by side begin together", () => {
  const steps = [{ job_type: "kb" }, { job_type: "quiz" }];
  const parallel = root({ params: { mode: "parallel" } }, steps);

  expect(drawn(outline(treeOf({}), parallel, new Map()))).toEqual(["(kb: begins with the others)", "(quiz: begins with the others)"]);
});

test("steps of a step are ahead below it, before they are tasks", () => {
  const tree = treeOf({ a: ["root", {}, { step: 1, steps: [{ job_type: "x" }, { job_type: "y" }] }], b: ["a", {}, { step: 1 }] });

  expect(drawn(outline(tree, root(), new Map()))).toEqual(["a -", "  b", "  (y: next, after x)"]);
});

const CHAIN: readonly AheadPart[] = [
  { step: 1, job_type: "shop.b", task_id: "b" },
  { step: 2, job_type: "shop.c", task_id: "c", count: 3 },
  { step: 2, job_type: "shop.d", task_id: "d" },
  { step: 3, job_type: "shop.e", task_id: "e" },
];
const BODY: readonly AheadPart[] = [
  { step: 1, job_type: "shop.body", task_id: "body", chord: true },
  { step: 2, job_type: "shop.mail", task_id: "mail", chord: true },
];

test("the rest of a chain is ahead until its first part is sent, which says what follows it; a failure reaches none of it", () => {
  const running = outline(treeOf({}), root({}, null, CHAIN), new Map());
  expect(drawn(running)).toEqual([
    "(shop.b: next, after root)",
    "(3 × shop.c: after shop.b)",
    "(shop.d: after shop.b)",
    "(shop.e: after 3 × shop.c and shop.d)",
  ]);

  const sent = treeOf({ b: ["root", {}, { ahead: CHAIN.slice(3) }] });
  expect(drawn(outline(sent, root({ status: "SUCCESS" }, null, CHAIN), new Map()))).toEqual(["b -", "  (shop.e: next, after b)"]);
  // Its status comes at once, and the tree a moment later.
  expect(outline(treeOf({}), root({ status: "SUCCESS" }, null, CHAIN), new Map())).toEqual([]);

  const failed = outline(treeOf({}), root({ status: "FAILURE" }, null, CHAIN.slice(3)), new Map());
  expect(drawn(failed)).toEqual(["(shop.e: not reached: root failed)"]);
  expect(failed[0]).toMatchObject({ reached: false });
  expect(drawn(outline(treeOf({}), root({ status: "REVOKED" }, null, CHAIN.slice(3)), new Map()))).toEqual(["(shop.e: not reached: root was ended)"]);
});

test("the body of a chord is ahead once, after all members, also where these are chains", () => {
  const done = { status: "SUCCESS" } as const;
  const own = [{ step: 1, job_type: "shop.sum", task_id: "sum" }, ...BODY];
  const tree = (last: Partial<Task>) => treeOf({ x: ["root", done, { ahead: BODY }], y: ["root", done, { ahead: own }], sum: ["y", last, { ahead: BODY }] });

  expect(drawn(outline(tree({}), root(), new Map()))).toEqual([
    "x",
    "y -",
    "  sum",
    "(shop.body: next, after all of its group)",
    "(shop.mail: after shop.body)",
  ]);
  expect(drawn(outline(tree({ status: "FAILURE" }), root(), new Map())).slice(3)).toEqual([
    "(shop.body: not reached: sum failed)",
    "(shop.mail: not reached: sum failed)",
  ]);
  expect(drawn(outline(tree(done), root(), new Map()))).toEqual(["x", "y -", "  sum"]);
  const sent = treeOf({ x: ["root", {}, { ahead: BODY }], body: ["x"] });
  expect(drawn(outline(sent, root(), new Map()))).toEqual(["x -", "  body"]);
});

test("of a member of a chord its own page tells of the body, too", () => {
  expect(drawn(outline(treeOf({}), root({}, null, BODY.slice(0, 1)), new Map()))).toEqual(["(shop.body: next, after all of its group)"]);
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
