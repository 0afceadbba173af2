import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogLine, LogPage, LogQuery } from "../client/types";
import { BLOCK, blockOf, HeldBlocks } from "./log-held";
import { isReplaced } from "./log-replaced";
import { firstFrom, nearestOf, type LoadLog, type LogSink, type LogSource, type Nearest } from "./log-source";

const PAGE = 1_000;
export const HELD_LINES = 20_000;

type Listener = (after: number, upTo: number, lines: readonly LogLine[]) => void;

/** A log of any length, of which only the part near the view is here. Block `k` has the sequences 25k+1 to 25k+25, so the
 * block of a line is known before anything is loaded. Lines that another one replaced are left out. */
export class LogStore implements LogSink, LogSource {
  /** The last sequence that is known to exist. */
  head = 0;
  /** The first sequence that the server still has. */
  oldest = 1;
  /** How many lines have come from the stream. */
  appended = 0;
  /** The last of these. */
  newest: LogLine | null = null;
  readonly version = signal(0);
  readonly problem = signal<Problem | null>(null);

  private readonly blocks = new HeldBlocks();
  /** The last sequence of the stream; REST may be ahead of it. */
  private streamed = 0;
  private wanted: [first: number, end: number] = [0, 0];
  /** Set by the view: blocks within folded sections are neither loaded nor kept. */
  nextShown: (key: number) => number = (key) => key;
  private loading = false;
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly loadPage: LoadLog,
    private readonly capacity = HELD_LINES,
  ) {}

  get first(): number {
    return blockOf(this.oldest);
  }

  get end(): number {
    return this.head < this.oldest ? this.first : blockOf(this.head) + 1;
  }

  get empty(): boolean {
    if (this.blocks.count > 0) return false;
    for (let key = this.first; key < this.end; key++) if (this.missing(key) !== null) return false;
    return true;
  }

  /** How many lines are here. */
  get lineCount(): number {
    return this.blocks.count;
  }

  /** Changes when another block is blank, or one is no more. */
  get blanks(): number {
    return this.blocks.changes;
  }

  append(lines: readonly LogLine[], upTo: number): void {
    if (upTo <= this.streamed) return;
    this.appended += lines.length;
    this.receive(this.streamed, upTo, lines);
  }

  restart(recent: readonly LogLine[], sequence: number): void {
    // The lines after an older snapshot come again.
    if (sequence < this.head) this.forgetAfter(sequence);
    const after = recent[0] ? recent[0].sequence - 1 : sequence;
    // The lines of the first snapshot are not new.
    if (this.streamed > 0) this.appended += recent.length - firstFrom(recent, this.streamed + 1);
    this.receive(after, sequence, recent);
  }

  /** Calls back with the lines that the stream brings; returns a function that stops it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  lines(key: number): readonly LogLine[] | null {
    return this.blocks.lines(key);
  }

  /** Whether all lines of a block are here. */
  isWhole(key: number): boolean {
    return this.missing(key) === null;
  }

  isBlank(key: number): boolean {
    return this.lines(key)?.length === 0 && this.isWhole(key);
  }

  keyOf(sequence: number): number {
    return Math.min(Math.max(blockOf(sequence), this.first), Math.max(this.end - 1, this.first));
  }

  want(first: number, end: number): void {
    this.wanted = [Math.max(first, this.first), Math.min(end, this.end)];
    for (let key = this.nextShown(this.wanted[0]); key < this.wanted[1]; key = this.nextShown(key + 1)) {
      this.blocks.want(key);
    }
    if (!this.problem.value) void this.load();
  }

  nearest(sequence: number): Nearest {
    const from = this.keyOf(sequence);
    const later = this.end - from;
    for (let step = 0; step < this.end - this.first; step++) {
      const key = step < later ? from + step : from + later - step - 1;
      if (this.nextShown(key) !== key) continue;
      if (this.missing(key) !== null) return { key };
      const lines = this.lines(key);
      if (lines?.length) return { line: nearestOf(lines, sequence) };
    }
    return null;
  }

  retry(): void {
    this.problem.value = null;
    void this.load();
  }

  /** Sends one request at a time, for what is wanted by then: blocks that were only scrolled past are not loaded. */
  private async load(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      for (let gap = this.gap(); gap; gap = this.gap()) {
        if (!this.take(gap, await this.loadPage(gap))) break;
      }
    } catch (error) {
      this.problem.value = Problem.of(error);
    } finally {
      this.loading = false;
    }
  }

  /** Returns the query for the first missing lines that are wanted, with those that follow; null when none is missing. Where later
   * ones are here it goes back from them: a page of a log whose lines were replaced goes far beyond what is wanted. */
  private gap(): LogQuery | null {
    const [first, end] = this.wanted;
    let key = this.nextShown(Math.max(first, this.first));
    while (key < end && this.missing(key) === null) key = this.nextShown(key + 1);
    if (key >= end) return null;
    const since = this.missing(key) as number;
    for (; ; key++) {
      const here = this.blocks.span(key);
      const from = here && Math.max(here.after, key * BLOCK);
      if (here && from !== null && here.upTo > since) return { before_sequence: from + 1, limit: Math.min(PAGE, from - since) };
      if (key + 1 >= end || this.nextShown(key + 1) !== key + 1) break;
    }
    return { since_sequence: since, limit: Math.min(PAGE, (key + 1) * BLOCK - since) };
  }

  /** Returns whether the page brought anything new; otherwise the same request would not either. */
  private take({ since_sequence, before_sequence }: LogQuery, page: LogPage): boolean {
    if (page.resync) this.prune(page.resync.oldest);
    // There is nothing before what it has looked at.
    if (before_sequence && !page.has_more) this.prune(page.before_sequence);
    const after = before_sequence ? page.before_sequence - 1 : (since_sequence as number);
    const upTo = before_sequence ? before_sequence - 1 : page.next_sequence;
    if (upTo <= after) return false;
    this.head = Math.max(this.head, upTo);
    this.add(Math.max(after, this.oldest - 1), upTo, page.logs);
    this.version.value++;
    return true;
  }

  private receive(after: number, upTo: number, lines: readonly LogLine[]): void {
    this.head = Math.max(this.head, upTo);
    const before = after <= this.streamed && this.newest && this.newest.sequence < (lines[0]?.sequence ?? 0) ? [this.newest] : [];
    this.streamed = upTo;
    this.newest = lines.at(-1) ?? this.newest;
    const all = [...before, ...lines];
    const gone = new Set(all.filter((line, index) => isReplaced(line, all[index + 1] ?? null)));
    this.add(after, upTo, gone.size ? lines.filter((line) => !gone.has(line)) : lines);
    for (const line of gone) this.blocks.remove(line);
    for (const listener of this.listeners) listener(after, upTo, lines);
    this.version.value++;
  }

  /** Returns the sequence after which lines of a block are missing; null when all are here. */
  private missing(key: number): number | null {
    const start = Math.max(key * BLOCK, this.oldest - 1);
    const block = this.blocks.span(key);
    if (!block || block.after > start) return start;
    return block.upTo < Math.min((key + 1) * BLOCK, this.head) ? block.upTo : null;
  }

  /** Adds all lines after `after` up to `upTo`. */
  private add(after: number, upTo: number, lines: readonly LogLine[]): void {
    this.blocks.add(after, upTo, lines);
    const [first, end] = this.wanted;
    const wanted = (key: number): boolean => key >= first && key < end && this.nextShown(key) === key;
    this.blocks.evict(this.capacity, (key) => wanted(key) || key === this.end - 1);
  }

  private prune(oldest: number): void {
    if (oldest <= this.oldest) return;
    this.oldest = oldest;
    this.blocks.dropAll((key) => key < this.first);
    this.version.value++;
  }

  private forgetAfter(sequence: number): void {
    this.head = sequence;
    this.blocks.dropAll((key) => key >= blockOf(sequence));
  }
}
