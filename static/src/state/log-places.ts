import { signal } from "@preact/signals";
import type { LogFilter, LogLine } from "../client/types";
import { firstIndex } from "./first-index";
import { passes } from "./log-filters";

/** More are not counted one by one. */
export const MOST_PLACES = 5_000;

/** The places of the lines that pass a filter, or of some of them where there are very many. */
export abstract class LogPlaces {
  /** Rises with every change. */
  readonly version = signal(0);
  protected found: number[] = [];
  /** Every place up to here is known. */
  protected upTo = 0;

  constructor(readonly filter: LogFilter) {}

  /** The sequences, in order. */
  get all(): readonly number[] {
    return this.found;
  }

  /** Takes lines that the stream brings: all after `after` and up to `upTo`. */
  receive(after: number, upTo: number, lines: readonly LogLine[]): void {
    if (after > this.upTo || !this.misses(upTo)) return;
    const from = this.upTo;
    this.add(lines.filter((line) => line.sequence > from && passes(this.filter, line)), upTo);
  }

  /** Whether there may be places up to a sequence that nobody has looked for. */
  misses(upTo: number): boolean {
    return this.upTo < upTo;
  }

  /** Looks for further places up to the end of the log, which may grow meanwhile. Throws Problem. */
  abstract update(log: { readonly head: number }, cancelled: AbortSignal): Promise<void>;

  /** Which of all a line is: "3 of 12", or "One of 5,000+" where they are not all counted; empty for one that is not among those that are known. */
  abstract position(sequence: number): string;

  protected add(lines: readonly LogLine[], upTo: number): void {
    for (const { sequence } of lines) this.found.push(sequence);
    this.upTo = upTo;
    if (lines.length) this.version.value++;
  }

  /** Returns the index of the first place from a sequence on. */
  protected from(sequence: number): number {
    return firstIndex(this.found.length, (index) => (this.found[index] as number) >= sequence);
  }
}
