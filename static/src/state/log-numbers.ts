import type { LogStore } from "./log";
import { blockOf } from "./log-held";

/** Returns the number of a line among the lines; where it is not known, its sequence. */
export function numberOf(log: LogStore, sequence: number): number {
  const lines = log.lines(log.keyOf(sequence));
  return lines?.find((line) => line.sequence === sequence)?.line ?? sequence;
}

/** Returns how many lines the log has after one sequence and up to another; null where the lines beside them are not here, or have no
 * numbers. */
export function linesBetween(log: LogStore, after: number, upTo: number): number | null {
  const [before, last] = [numberUpTo(log, after), upTo < log.head ? numberFrom(log, upTo + 1) : (log.newest?.line ?? null)];
  return before === null || last === null ? null : last - before;
}

/** Returns how many lines there are up to a sequence. */
function numberUpTo(log: LogStore, sequence: number): number | null {
  for (let key = blockOf(sequence); log.isWhole(key); key--) {
    const line = log.lines(key)?.findLast((line) => line.sequence <= sequence);
    if (line) return line.line ?? null;
    if (key <= log.first) return log.oldest === 1 ? 0 : null;
  }
  return null;
}

/** Returns how many lines there are before the first one from a sequence on. */
function numberFrom(log: LogStore, sequence: number): number | null {
  for (let key = blockOf(sequence); key < log.end; key++) {
    if (!log.isWhole(key)) return null;
    const line = log.lines(key)?.find((line) => line.sequence >= sequence);
    if (line) return line.line ? line.line - 1 : null;
  }
  return log.newest?.line ?? null;
}
