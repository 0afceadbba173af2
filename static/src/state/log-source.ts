import type { ReadonlySignal } from "@preact/signals";
import type { Problem } from "../client/problem";
import type { LogLine, LogPage, LogQuery } from "../client/types";

export type AskLog = (query: LogQuery) => Promise<LogPage>;

/** What feeds a log: the stream of its task, a frame at a time. */
export interface LogSink {
  /** One frame's lines; all events up to `upTo` are applied. */
  append(lines: readonly LogLine[], upTo: number): void;
  /** A snapshot at `sequence` with the newest lines up to it. */
  restart(recent: readonly LogLine[], sequence: number): void;
}

/** Where to look next for a line: it is here, or the block `key` must come first. Null: there is no line at all. */
export type Nearest = { line: LogLine } | { key: number } | null;

/** What a list draws: blocks of lines under consecutive whole numbers, of which not all are here at a time. */
export interface LogSource {
  readonly first: number;
  readonly end: number;
  /** Rises with every change. */
  readonly version: ReadonlySignal<number>;
  /** Why lines are missing that were asked for. */
  readonly problem: ReadonlySignal<Problem | null>;
  /** Whether it is known that there is no line. */
  readonly empty: boolean;
  /** Null while they are not here. */
  lines(key: number): readonly LogLine[] | null;
  keyOf(sequence: number): number;
  /** These blocks are in view or near it: what is missing of them is loaded, what is far may go. */
  want(first: number, end: number): void;
  nearest(sequence: number): Nearest;
  /** Asks again after a problem. */
  retry(): void;
}

/** The line whose sequence is nearest; `lines` are in order and not empty. */
export function nearestOf(lines: readonly LogLine[], sequence: number): LogLine {
  const at = firstFrom(lines, sequence);
  const [before, after] = [lines[at - 1], lines[at]];
  if (!before || !after) return (before ?? after) as LogLine;
  return sequence - before.sequence < after.sequence - sequence ? before : after;
}

/** The index of the first line whose sequence is `sequence` or later. */
export function firstFrom(lines: readonly LogLine[], sequence: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] as LogLine).sequence < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
