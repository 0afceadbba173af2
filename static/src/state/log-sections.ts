import type { LogSection } from "../client/types";
import { firstIndex } from "./first-index";

/** A section of the log as it is shown: within its parent, from the event that began it up to its last one. */
export interface Section {
  /** The sequence of the event that began it, which is no line. */
  first: number;
  /** Infinity while it is open. */
  last: number;
  kind: LogSection["kind"];
  label: string;
  depth: number;
  parent: Section | null;
  startedAt: string;
  endedAt: string | null;
}

/** Returns the sections in the order of their begins, each within the one before that has not ended. One that ends after
 * its parent, as threads make them, is cut there. A single attempt is the whole log, and is left out. */
export function sectionsOf(given: readonly LogSection[]): readonly Section[] {
  const sections = withWholeAttempts(given);
  const oneAttempt = sections.filter(({ kind }) => kind === "attempt").length < 2;
  const found: Section[] = [];
  let parent: Section | null = null;
  for (const section of sections) {
    if (oneAttempt && section.kind === "attempt") continue;
    const first = section.first_sequence;
    while (parent && parent.last < first) parent = parent.parent;
    const last: number = Math.min(section.last_sequence ?? Infinity, parent?.last ?? Infinity);
    const made: Section = {
      first,
      last,
      kind: section.kind,
      label: section.kind === "attempt" ? `Attempt ${section.name}` : section.name,
      depth: parent ? parent.depth + 1 : 0,
      parent,
      startedAt: section.started_at,
      endedAt: section.ended_at,
    };
    found.push(made);
    parent = made;
  }
  return found;
}

/** Returns the sections with each attempt as one, from its begin to its end: it waits for an approval, and then goes on. */
function withWholeAttempts(given: readonly LogSection[]): readonly LogSection[] {
  const found: LogSection[] = [];
  let at = -1;
  for (const section of given) {
    const before = found[at];
    if (section.kind === "attempt" && before?.name === section.name) {
      const { last_sequence, ended_at } = section;
      found[at] = { ...before, last_sequence, ended_at };
      continue;
    }
    if (section.kind === "attempt") at = found.length;
    found.push(section);
  }
  return found;
}

/** Returns the innermost section that has the line; null when none has. */
export function sectionAt(sections: readonly Section[], sequence: number): Section | null {
  const after = firstIndex(sections.length, (index) => (sections[index] as Section).first >= sequence);
  let found = sections[after - 1] ?? null;
  while (found && found.last < sequence) found = found.parent;
  return found;
}

/** Returns a section and those around it, the outermost first. */
export const pathOf = (section: Section | null): Section[] => (section ? [...pathOf(section.parent), section] : []);

/** Returns the sections that begin after one sequence and up to another. */
export function sectionsBetween(sections: readonly Section[], after: number, upTo: number): readonly Section[] {
  const from = firstIndex(sections.length, (index) => (sections[index] as Section).first > after);
  const to = firstIndex(sections.length, (index) => (sections[index] as Section).first > upTo);
  return from === to ? NONE : sections.slice(from, to);
}

const NONE: readonly Section[] = [];
