import type { Task } from "../client/types";
import { TREE_HASH } from "./chosen-step";
import { count } from "./format";
import { ORCHESTRATE } from "./phases";
import type { Tree } from "./tree";

/** A part of the page of a run. */
export interface Tab {
  /** The part of its address after `#`. */
  id: string;
  name: string;
}

interface Contents {
  /** Its outputs; null while they are not known. */
  files: number | null;
  /** Whether there is something to say of its outputs: the job says that it saves some, or they could not be loaded. */
  expected: boolean;
  /** Whether the earlier runs have a tab, for want of a side bar. */
  earlier?: boolean;
  audit?: boolean;
}

/** The tabs that the page of a run has. */
export function tabsOf(task: Task, tree: Tree, { files, expected, earlier = false, audit = false }: Contents): Tab[] {
  const children = tree.tasks.value.length;
  const failed = tree.below.value?.failed ?? 0;
  const failures = failed ? ` · ${count(failed)} failed` : "";
  const name = task.job_type === ORCHESTRATE ? "Steps" : "Tasks below";
  const next = task.status !== "SUCCESS" && tree.ahead.value !== null;
  const none = next ? "What follows" : name;
  const below = children === 0 ? none : `${name} ${count(children)}${tree.hasMore(task.task_id) ? "+" : ""}${failures}`;
  const tabs: [id: string, name: string, shown: boolean][] = [
    ["log", "Log", true],
    ["result", "Result", task.result !== null && task.result !== undefined],
    ["outputs", files === null ? "Outputs" : `Outputs ${files}`, expected || Boolean(files)],
    [TREE_HASH, below, children > 0 || next || task.job_type === ORCHESTRATE],
    ["parameters", "Parameters", true],
    ["earlier", "Earlier runs", earlier],
    ["audit", "Audit", audit],
  ];
  return tabs.filter(([, , shown]) => shown).map(([id, name]) => ({ id, name }));
}

/** Returns the tab that an address names, by its part after `#` or by a step; else the one that the run itself is about. */
export function tabOf(tabs: readonly Tab[], task: Task, hash: string, step: string | null): string {
  return tabs.find(({ id }) => id === hash)?.id ?? (step || (isOnlyTree(task) && !hash) ? TREE_HASH : "log");
}

/** Whether a run has failed by one of its steps, whose row and log say why. */
export const isOfStep = ({ error }: Task): boolean => error?.type === "SubtaskFailed";

/** Whether the tasks below a run are all that there is to see of it: it runs no code of its own. */
const isOnlyTree = ({ job_type, observed }: Task): boolean => job_type === ORCHESTRATE || (observed === true && job_type === "group");
