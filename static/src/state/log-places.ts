import { signal } from "@preact/signals";
import type { LogFilter, LogLine } from "../client/types";
import { firstIndex } from "./first-index";
import { count } from "./format";
import { passes } from "./log-filters";
import type { LoadLog } from "./log-source";

const PAGE = 1_000;
/** More are not counted one by one. */
const MOST = 5_000;

/** The places of all lines that pass a filter: one can be said to be the third of twelve, and a section to have two. */
export class LogPlaces {
  /** Rises with every change. */
  readonly version = signal(0);
  private readonly found: number[] = [];
  /** Every place up to here is known. */
  private upTo = 0;
  private more = false;

  constructor(
    private readonly load: LoadLog,
    readonly filter: LogFilter,
  ) {}

  get all(): readonly number[] {
    return this.found;
  }

  /** Takes lines that the stream brings: all after `after` and up to `upTo`. */
  receive(after: number, upTo: number, lines: readonly LogLine[]): void {
    if (after > this.upTo || upTo <= this.upTo || this.more) return;
    const from = this.upTo;
    this.add(lines.filter((line) => line.sequence > from && passes(this.filter, line)), upTo);
    this.more = this.found.length >= MOST;
  }

  /** Whether there may be places up to a sequence that nobody has looked for. */
  misses(upTo: number): boolean {
    return this.upTo < upTo && !this.more;
  }

  /** Looks for further places up to the end of the log, which may grow meanwhile. Throws Problem. */
  async update(log: { readonly head: number }, cancelled: AbortSignal): Promise<void> {
    while (this.misses(log.head) && !cancelled.aborted) {
      const since = this.upTo;
      const page = await this.load({ ...this.filter, since_sequence: since, limit: PAGE });
      if (cancelled.aborted || page.next_sequence <= since) return;
      // The stream may have brought some of them meanwhile.
      const from = this.upTo;
      this.add(page.logs.filter(({ sequence }) => sequence > from), Math.max(from, page.next_sequence));
      this.more = this.found.length >= MOST && page.has_more;
    }
  }

  /** "3 of 12"; empty for a line that is not among those that are known. */
  position(sequence: number): string {
    const at = this.from(sequence);
    const all = `${count(this.found.length)}${this.more ? "+" : ""}`;
    return this.found[at] === sequence ? `${count(at + 1)} of ${all}` : "";
  }

  /** Whether there are so many places that those up to a sequence are not all counted. */
  isCut(upTo: number): boolean {
    return this.more && this.upTo < upTo;
  }

  /** Returns how many places are known from one sequence up to another. */
  within(first: number, last: number): number {
    return this.from(last + 1) - this.from(first);
  }

  private add(lines: readonly LogLine[], upTo: number): void {
    for (const { sequence } of lines) this.found.push(sequence);
    this.upTo = upTo;
    if (lines.length) this.version.value++;
  }

  private from(sequence: number): number {
    return firstIndex(this.found.length, (index) => (this.found[index] as number) >= sequence);
  }
}
