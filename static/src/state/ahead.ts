import type { AheadPart } from "../client/tree";
import { isTerminal, type Task } from "../client/types";
import { count } from "./format";
import type { Tree } from "./tree";

const MOST_NAMED = 2;

/** A step that has not begun: when it comes, or that it never will. */
export interface Ahead {
  /** Unlike that of any other of the same parent. */
  id: string;
  name: string;
  reached: boolean;
  says: string;
}

/** What is known of the tasks that a part waits for, which all name it: whether one is open, and the first that did not succeed. */
interface Chord {
  open: boolean;
  failed: Task | null;
}

type Chords = ReadonlyMap<string, Chord>;

const nameOfPart = ({ job_type, count: of = 1 }: AheadPart): string => (of > 1 ? `${count(of)} × ${job_type}` : job_type);

const whyNot = (name: string, { status }: Task): string => `not reached: ${name} ${status === "FAILURE" ? "failed" : "was ended"}`;

/** Returns how the members of each chord get on that tasks of the tree name, by the chord's key. */
export function chordsOf(tree: Tree, root: { task: Task; ahead: readonly AheadPart[] | null }): Chords {
  const chords = new Map<string, Chord>();
  const add = (task: Task, ahead: readonly AheadPart[] | null): void => {
    const key = keyOf(partsOf(ahead, true));
    if (key === null) return;
    const chord = chords.get(key) ?? { open: false, failed: null };
    const failed = isTerminal(task.status) && task.status !== "SUCCESS" ? task : null;
    chords.set(key, { open: chord.open || !isTerminal(task.status), failed: chord.failed ?? failed });
  };
  add(root.task, root.ahead);
  for (const { row, about } of tree.nodes.values()) if (about.value.ahead) add(row.value.task, about.value.ahead);
  return chords;
}

/** Returns the rest of the chain of a task, until the first of it is sent. */
export function chainAhead(tree: Tree, task: Task, ahead: readonly AheadPart[] | null, name: string): Ahead[] {
  const parts = partsOf(ahead, false);
  if (task.status === "SUCCESS" || isSent(tree, parts)) return [];
  return rowsOf(parts, name, isTerminal(task.status) ? whyNot(name, task) : null);
}

/** Returns what comes after a chord that a member names, until it is sent; `seen` has the chords that have their rows already. */
export function chordAhead(tree: Tree, ahead: readonly AheadPart[] | null, chords: Chords, seen: Set<string>, nameOf: (task: Task) => string): Ahead[] {
  const parts = partsOf(ahead, true);
  const key = keyOf(parts);
  if (key === null || seen.has(key)) return [];
  seen.add(key);
  const { open, failed } = chords.get(key)!;
  if (isSent(tree, parts) || (!open && !failed)) return [];
  return rowsOf(parts, "all of its group", failed && whyNot(nameOf(failed), failed));
}

const partsOf = (ahead: readonly AheadPart[] | null, chord: boolean): AheadPart[] => (ahead ?? []).filter((part) => Boolean(part.chord) === chord);

const keyOf = (parts: readonly AheadPart[]): string | null => (parts[0] ? (parts[0].task_id ?? parts[0].job_type) : null);

const isSent = (tree: Tree, parts: readonly AheadPart[]): boolean => parts.some(({ task_id }) => task_id && tree.nodes.has(task_id));

function rowsOf(parts: readonly AheadPart[], before: string, why: string | null): Ahead[] {
  const steps = [...new Set(parts.map(({ step }) => step))];
  const names = steps.map((step) => together(parts.filter((part) => part.step === step)));
  return parts.map((part, index) => {
    const at = steps.indexOf(part.step);
    const says = why ?? `${at === 0 ? "next, " : ""}after ${at === 0 ? before : names[at - 1]}`;
    return { id: `${keyOf(parts)} ${index}`, name: nameOfPart(part), reached: why === null, says };
  });
}

function together(parts: readonly AheadPart[]): string {
  const names = parts.slice(0, MOST_NAMED).map(nameOfPart);
  const left = parts.length - names.length;
  return names.join(left ? ", " : " and ") + (left ? ` and ${count(left)} more` : "");
}
