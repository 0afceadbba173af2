import type { AheadPart, PlannedStep } from "../client/tree";
import { isTerminal, type Task } from "../client/types";
import { chainAhead, chordAhead, chordsOf, type Ahead } from "./ahead";
import { hasTitle, isStep, shortId } from "./format";
import type { Tree } from "./tree";

/** In a list of no more than so many, what is below each of them is shown without being asked for. */
const FEW = 8;

interface Place {
  /** Names the row on the page. */
  key: string;
  /** 1 of the children of the run. */
  level: number;
  /** From 1, of so many that are known. */
  position: number;
  size: number;
}

/** A task; `open` is null where nothing is below it. */
export interface TaskRow extends Place {
  kind: "task";
  id: string;
  open: boolean | null;
}

/** A step that has not begun, or a part of a canvas that was not sent. */
export interface PlannedRow extends Place, Omit<Ahead, "id"> {
  kind: "planned";
}

/** Stands for the children that are not loaded yet. */
export interface MoreRow extends Place {
  kind: "more";
  parent: string;
  shown: number;
  /** How many children there are; null where that is not known. */
  total: number | null;
}

export type OutlineRow = TaskRow | PlannedRow | MoreRow;

export type Toggled = ReadonlyMap<string, boolean>;

/** The title of a task; of a step without one its job type alone, for its place tells it apart. */
export const nameOf = (task: Task): string =>
  hasTitle(task) ? task.title : isStep(task) ? task.job_type : `${task.job_type} ${shortId(task.task_id)}`;

interface Root {
  task: Task;
  /** The steps that it was asked for. */
  steps: readonly PlannedStep[] | null;
  /** What comes after it. */
  ahead: readonly AheadPart[] | null;
}

/** Returns the rows of an outline of a run, from top to bottom. */
export function outline(tree: Tree, root: Root, toggled: Toggled): OutlineRow[] {
  const rows: OutlineRow[] = [];
  const seen = new Set<string>([tree.rootId]);
  const chords = chordsOf(tree, root);
  const seenChords = new Set<string>();
  const afterAll = (ahead: readonly AheadPart[] | null): Ahead[] => chordAhead(tree, ahead, chords, seenChords, nameOf);

  const add = (parent: string, task: Task, steps: readonly PlannedStep[] | null, chain: readonly Ahead[], level: number): void => {
    const ids = tree.idsOf(parent).filter((id) => !seen.has(id) && tree.nodes.has(id));
    const more = tree.hasMore(parent);
    // Before those of tasks further below, which name the same chord.
    const ofChords = ids.flatMap((id) => afterAll(tree.nodes.get(id)!.about.value.ahead));
    const ahead = more ? [] : [...plannedRows(tree, ids, task, steps ?? []), ...chain, ...ofChords];
    const size = ids.length + ahead.length + (more ? 1 : 0);
    for (const [index, id] of ids.entries()) {
      seen.add(id);
      const { row, about } = tree.nodes.get(id)!;
      const { children, steps: own } = about.value;
      const next = about.value.ahead ? chainAhead(tree, row.value.task, about.value.ahead, nameOf(row.value.task)) : [];
      const has = children.tasks > 0 || next.length > 0 || (own !== null && row.peek().task.started_at !== null);
      const known = tree.idsOf(id).length > 0 || children.tasks === 0;
      const open = has ? (toggled.get(id) ?? (ids.length <= FEW && known)) : null;
      rows.push({ kind: "task", key: id, id, level, position: index + 1, size, open });
      if (open) add(id, row.value.task, own, next, level + 1);
    }
    for (const [index, { id, ...row }] of ahead.entries()) {
      rows.push({ kind: "planned", key: `${parent} ${id}`, ...row, level, position: ids.length + index + 1, size });
    }
    if (more) {
      const total = totalOf(tree, parent);
      rows.push({ kind: "more", key: `${parent} more`, parent, level, position: size, size, shown: ids.length, total });
    }
  };
  const ofRoot = [...chainAhead(tree, root.task, root.ahead, nameOf(root.task)), ...afterAll(root.ahead)];
  add(tree.rootId, root.task, root.steps, ofRoot, 1);
  return rows;
}

const MOST_COUNTED = 200;

function totalOf(tree: Tree, parent: string): number | null {
  const counted = tree.nodes.get(parent)?.about.value.children.tasks;
  return counted !== undefined && counted <= MOST_COUNTED ? counted : null;
}

const stepName = ({ title, job_type }: PlannedStep): string => title || job_type;

/** Returns the steps of an orchestration that have not begun. `ids` are those that have. */
function plannedRows(tree: Tree, ids: readonly string[], parent: Task, steps: readonly PlannedStep[]): Ahead[] {
  const begun = new Map(ids.map((id) => [tree.nodes.get(id)!.about.value.step, tree.nodes.get(id)!.row.value.task]));
  const [over, parallel] = [isTerminal(parent.status), parent.params?.mode === "parallel"];
  // The phase of a step begins with its number.
  const number = parseInt(parent.error?.phase ?? "", 10);
  const culprit = begun.get(number);
  const why = culprit ? `step ${number} ${culprit.status === "FAILURE" ? "failed" : "was ended"}` : "the run was ended";
  const ahead = steps.map((step, index) => ({ step, number: index + 1 })).filter(({ number }) => !begun.has(number));
  return ahead.map(({ step, number }, index) => {
    const before = steps[number - 2];
    const waits = parallel || !before ? (parallel ? "begins with the others" : "begins first") : `${index === 0 ? "next, " : ""}after ${stepName(before)}`;
    const says = over ? `not reached: ${why}` : waits;
    return { id: String(number), name: stepName(step), reached: !over, says };
  });
}

/** Returns the steps that an orchestration was asked for; null of other runs. */
export function stepsOf({ job_type, params }: Task, orchestrate: string): readonly PlannedStep[] | null {
  const steps = job_type === orchestrate ? params?.steps : null;
  if (!Array.isArray(steps)) return null;
  return steps.map((step: Partial<PlannedStep> | null) => ({ job_type: String(step?.job_type), title: step?.title ?? null }));
}

/** Returns the row to which an arrow key leads from one, or which row it opens or closes; null: none. */
export function moved(rows: readonly OutlineRow[], at: number, key: string): number | { toggle: string; open: boolean } | null {
  const row = rows[at];
  const last = rows.length - 1;
  if (!row) return null;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return last;
    case "ArrowRight":
      if (row.kind !== "task" || row.open === null) return null;
      return row.open ? Math.min(last, at + 1) : { toggle: row.id, open: true };
    case "ArrowLeft": {
      if (row.kind === "task" && row.open) return { toggle: row.id, open: false };
      const above = rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
      return above < 0 ? null : above;
    }
    default:
      return null;
  }
}

/** Returns the first task that failed and has none below that did; null where none is known. */
export function failedLeaf(tree: Tree, parent = tree.rootId, seen = new Set([parent])): string | null {
  for (const id of tree.idsOf(parent)) {
    const task = tree.nodes.get(id)?.row.value.task;
    if (!task || seen.has(id)) continue;
    seen.add(id);
    const leaf = failedLeaf(tree, id, seen) ?? (task.status === "FAILURE" ? id : null);
    if (leaf) return leaf;
  }
  return null;
}
