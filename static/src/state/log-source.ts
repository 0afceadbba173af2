import type { ReadonlySignal } from "@preact/signals";
import type { Problem } from "../client/problem";
import type { LogLine, LogMarksPage, LogPage, LogQuery } from "../client/types";
import { firstIndex } from "./first-index";

/** Loads a page of the log. Throws Problem. */
export type LoadLog = (query: LogQuery) => Promise<LogPage>;

/** Asks where the whole log has errors or warnings. Throws Problem. */
export type LoadMarks = (of: "errors" | "warnings") => Promise<LogMarksPage>;

/** Takes the lines of a task's stream, a frame at a time. */
export interface LogSink {
  /** Adds the lines of one frame; all events up to `upTo` are applied. */
  append(lines: readonly LogLine[], upTo: number): void;
  /** Takes a snapshot at `sequence`, with the newest lines up to it. */
  restart(recent: readonly LogLine[], sequence: number): void;
}

/** Where to look for a line: it is here, or the block `key` has to be loaded first. Null: there is no line at all. */
export type Nearest = { line: LogLine } | { key: number } | null;

/** The lines that a list draws, in blocks with consecutive keys, of which not all are here at a time. */
export interface LogSource {
  readonly first: number;
  readonly end: number;
  /** Rises with every change. */
  readonly version: ReadonlySignal<number>;
  /** Why lines that are wanted could not be loaded. */
  readonly problem: ReadonlySignal<Problem | null>;
  /** Whether it is known that there is no line. */
  readonly empty: boolean;
  /** Returns the lines of a block; null while they are not here. */
  lines(key: number): readonly LogLine[] | null;
  keyOf(sequence: number): number;
  /** Returns the first block from `key` on that is not hidden as a whole, by a folded section. */
  nextShown(key: number): number;
  /** Whether it is known that a block has no line. */
  isBlank(key: number): boolean;
  /** Changes when another block is blank, or one is no more. */
  readonly blanks: number;
  /** Names the blocks that are in view or near it: missing ones are loaded, distant ones may be dropped. */
  want(first: number, end: number): void;
  nearest(sequence: number): Nearest;
  /** Loads again after a problem. */
  retry(): void;
}

/** Returns the blocks of a range without those that take no place: hidden as a whole, or without a line and a header. */
export function shownKeys(source: LogSource, first: number, end: number, hasHeader: (key: number) => boolean): number[] {
  const keys: number[] = [];
  for (let key = source.nextShown(first); key < end; key = source.nextShown(key + 1)) {
    if (!source.isBlank(key) || hasHeader(key)) keys.push(key);
  }
  return keys;
}

/** Returns the last line before a block, and the first one after it, where they are here. */
export function linesAround(source: LogSource, key: number): { before: LogLine | null; after: LogLine | null } {
  let [last, next] = [key - 1, key + 1];
  while (source.isBlank(last)) last--;
  while (source.isBlank(next)) next++;
  return { before: source.lines(last)?.at(-1) ?? null, after: source.lines(next)?.[0] ?? null };
}

/** Returns the line whose sequence is nearest; `lines` are in order and not empty. */
export function nearestOf(lines: readonly LogLine[], sequence: number): LogLine {
  const at = firstFrom(lines, sequence);
  const [before, after] = [lines[at - 1], lines[at]];
  if (!before || !after) return (before ?? after) as LogLine;
  return sequence - before.sequence < after.sequence - sequence ? before : after;
}

/** Returns the index of the first line whose sequence is `sequence` or later. */
export const firstFrom = (lines: readonly LogLine[], sequence: number): number =>
  firstIndex(lines.length, (index) => (lines[index] as LogLine).sequence >= sequence);
