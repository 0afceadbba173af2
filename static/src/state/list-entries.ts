import { dayName, dayOf } from "./list-days";

/** One line of the list: the heading of a day, a run or a step, or what is said of steps that are not there. */
export type Entry =
  | { kind: "day"; key: string; name: string }
  | { kind: "run"; key: string; id: string; level: number }
  | { kind: "note"; key: string; parent: string; level: number };

/** The steps of a run that is unfolded. */
export interface Unfolded {
  ids: readonly string[];
  /** There is something to say: they are loading, have failed to load, or are not all. */
  note: boolean;
}

/** Returns the lines: each day has a heading, and below each run its steps, where it is unfolded. `at`: when a run was made. */
export function entriesOf(order: readonly string[], at: (id: string) => number, open: ReadonlyMap<string, Unfolded>, now: number): Entry[] {
  const entries: Entry[] = [];
  let day = "";
  const add = (id: string, level: number): void => {
    entries.push({ kind: "run", key: id, id, level });
    const steps = open.get(id);
    if (!steps || level > MOST_LEVELS) return;
    for (const step of steps.ids) add(step, level + 1);
    if (steps.note) entries.push({ kind: "note", key: `note ${id}`, parent: id, level: level + 1 });
  };
  for (const id of order) {
    const made = at(id);
    if (dayOf(made) !== day) {
      day = dayOf(made);
      entries.push({ kind: "day", key: day, name: dayName(made, now) });
    }
    add(id, 0);
  }
  return entries;
}

/** Reporters may have made a circle of tasks. */
const MOST_LEVELS = 8;
