import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogLine, LogPage } from "../client/types";
import { firstFrom, nearestOf, type LoadLog, type LogSink, type LogSource, type Nearest } from "./log-source";

/** Sequences in a block. Lines are drawn, measured and dropped a block at a time: one by one would be too slow for a busy
 * page, and larger blocks would draw many lines that are not in view. */
export const BLOCK = 25;
const PAGE = 1_000;
export const HELD_LINES = 20_000;

/** All lines after `after` up to and including `upTo`, within one block of the sequences. */
interface Block {
  lines: LogLine[];
  after: number;
  upTo: number;
}

type Listener = (after: number, upTo: number, lines: readonly LogLine[]) => void;

const blockOf = (sequence: number): number => Math.floor((sequence - 1) / BLOCK);

/** A log of any length, of which only the part near the view is here. Block `k` has the sequences 25k+1 to 25k+25, so the
 * block of a line is known before anything is loaded. */
export class LogStore implements LogSink, LogSource {
  /** The last sequence that is known to exist. */
  head = 0;
  /** The first sequence that the server still has. */
  oldest = 1;
  /** How many lines have come from the stream. */
  appended = 0;
  readonly version = signal(0);
  readonly problem = signal<Problem | null>(null);

  /** In the order in which they were wanted last. */
  private readonly blocks = new Map<number, Block>();
  private held = 0;
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
    if (this.held > 0) return false;
    for (let key = this.first; key < this.end; key++) if (this.missing(key) !== null) return false;
    return true;
  }

  /** How many lines are here. */
  get lineCount(): number {
    return this.held;
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
    return this.blocks.get(key)?.lines ?? null;
  }

  keyOf(sequence: number): number {
    return Math.min(Math.max(blockOf(sequence), this.first), Math.max(this.end - 1, this.first));
  }

  want(first: number, end: number): void {
    this.wanted = [Math.max(first, this.first), Math.min(end, this.end)];
    for (let key = this.nextShown(this.wanted[0]); key < this.wanted[1]; key = this.nextShown(key + 1)) {
      const block = this.blocks.get(key);
      if (!block) continue;
      this.blocks.delete(key);
      this.blocks.set(key, block);
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
        if (!this.take(gap.since_sequence, await this.loadPage(gap))) break;
      }
    } catch (error) {
      this.problem.value = Problem.of(error);
    } finally {
      this.loading = false;
    }
  }

  /** Returns the query for the first missing lines that are wanted, with those that follow; null when none is missing. */
  private gap(): { since_sequence: number; limit: number } | null {
    const [first, end] = this.wanted;
    for (let key = this.nextShown(Math.max(first, this.first)); key < end; key = this.nextShown(key + 1)) {
      const since = this.missing(key);
      if (since !== null) return { since_sequence: since, limit: Math.min(PAGE, end * BLOCK - since) };
    }
    return null;
  }

  /** Returns whether the page brought anything new; otherwise the same request would not either. */
  private take(since: number, page: LogPage): boolean {
    if (page.resync && page.resync.oldest > this.oldest) this.prune(page.resync.oldest);
    if (page.next_sequence <= since) return false;
    this.head = Math.max(this.head, page.next_sequence);
    this.add(Math.max(since, this.oldest - 1), page.next_sequence, page.logs);
    this.version.value++;
    return true;
  }

  private receive(after: number, upTo: number, lines: readonly LogLine[]): void {
    this.head = Math.max(this.head, upTo);
    this.streamed = upTo;
    this.add(after, upTo, lines);
    for (const listener of this.listeners) listener(after, upTo, lines);
    this.version.value++;
  }

  /** Returns the sequence after which lines of a block are missing; null when all are here. */
  private missing(key: number): number | null {
    const start = Math.max(key * BLOCK, this.oldest - 1);
    const block = this.blocks.get(key);
    if (!block || block.after > start) return start;
    return block.upTo < Math.min((key + 1) * BLOCK, this.head) ? block.upTo : null;
  }

  /** Adds all lines after `after` up to `upTo`. */
  private add(after: number, upTo: number, lines: readonly LogLine[]): void {
    let at = firstFrom(lines, after + 1);
    for (let key = blockOf(after + 1); key <= blockOf(upTo); key++) {
      const end = Math.min((key + 1) * BLOCK, upTo);
      const from = at;
      while (at < lines.length && (lines[at] as LogLine).sequence <= end) at++;
      this.merge(key, Math.max(key * BLOCK, after), end, lines.slice(from, at));
    }
    this.evict();
  }

  private merge(key: number, after: number, upTo: number, lines: LogLine[]): void {
    const block = this.blocks.get(key);
    // Two spans that do not touch cannot be merged: the lines between them would be missing.
    if (!block || after > block.upTo || upTo < block.after) {
      this.held += lines.length - (block?.lines.length ?? 0);
      this.blocks.set(key, { lines, after, upTo });
      return;
    }
    const before = lines.slice(0, firstFrom(lines, block.after + 1));
    const later = lines.slice(firstFrom(lines, block.upTo + 1));
    this.held += before.length + later.length;
    if (before.length) block.lines = [...before, ...block.lines, ...later];
    else block.lines.push(...later);
    block.after = Math.min(block.after, after);
    block.upTo = Math.max(block.upTo, upTo);
  }

  private evict(): void {
    if (this.held <= this.capacity) return;
    const [first, end] = this.wanted;
    for (const key of this.blocks.keys()) {
      const wanted = key >= first && key < end && this.nextShown(key) === key;
      if (!wanted && key !== this.end - 1) this.drop(key);
      if (this.held <= this.capacity) return;
    }
  }

  private drop(key: number): void {
    this.held -= this.blocks.get(key)?.lines.length ?? 0;
    this.blocks.delete(key);
  }

  private prune(oldest: number): void {
    this.oldest = oldest;
    for (const key of this.blocks.keys()) if (key < this.first) this.drop(key);
  }

  private forgetAfter(sequence: number): void {
    this.head = sequence;
    for (const key of this.blocks.keys()) if (key >= blockOf(sequence)) this.drop(key);
  }
}
