import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogFilter, LogLine, LogPage } from "../client/types";
import { BLOCK, type LogStore } from "./log";
import { firstFrom, nearestOf, type AskLog, type LogSource, type Nearest } from "./log-source";

const PAGE = 500;
const HELD_LINES = 20_000;
const SEVERITY = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/** The same as the server's, but for `q`, which no list is filtered by. */
export function matches(filter: LogFilter, line: LogLine): boolean {
  if (filter.level && SEVERITY.indexOf(line.level) < SEVERITY.indexOf(filter.level)) return false;
  return !filter.phase || line.phase === filter.phase;
}

/** The lines of a log that pass a filter, around one place and growing from there in both directions. Where they are
 * cannot be known before they are loaded, so the blocks are simply numbered, backwards too. */
export class FilteredLog implements LogSource {
  readonly version = signal(0);
  readonly problem = signal<Problem | null>(null);
  /** Every match after the first of them and up to the second is here. */
  after: number;
  upTo: number;

  private blocks: LogLine[][] = [];
  private base = 0;
  /** Whether nothing before `after` can match. */
  private atStart = false;
  private wanted: [first: number, end: number] = [0, 0];
  private asking = false;
  private stopped = false;
  /** Counts places, so that the answer to an abandoned one is not taken for the present one's. */
  private place = 0;
  private readonly unlisten: () => void;

  constructor(
    private readonly ask: AskLog,
    private readonly whole: LogStore,
    readonly filter: LogFilter,
    at: number | null,
    private readonly capacity = HELD_LINES,
  ) {
    this.after = this.upTo = at === null ? whole.head : at - 1;
    this.unlisten = whole.listen((after, upTo, lines) => this.hear(after, upTo, lines));
  }

  stop(): void {
    this.stopped = true;
    this.place++;
    this.unlisten();
  }

  get first(): number {
    return this.base;
  }

  get end(): number {
    return this.base + this.blocks.length;
  }

  get empty(): boolean {
    return this.blocks.length === 0 && this.atStart && this.upTo >= this.whole.head;
  }

  /** How many events were looked at. */
  get looked(): number {
    return this.upTo - this.after;
  }

  lines(key: number): readonly LogLine[] | null {
    return this.blocks[key - this.base] ?? null;
  }

  keyOf(sequence: number): number {
    const at = this.blocks.findIndex((block) => (block.at(-1) as LogLine).sequence >= sequence);
    return at < 0 ? Math.max(this.base, this.end - 1) : this.base + at;
  }

  want(first: number, end: number): void {
    this.wanted = [first, end];
    if (!this.problem.value) void this.load();
  }

  nearest(sequence: number): Nearest {
    if (sequence <= this.after && !this.atStart) this.moveTo(sequence);
    else if (sequence > this.upTo && this.upTo < this.whole.head) this.moveTo(sequence);
    const last = this.blocks.at(-1)?.at(-1);
    if (this.upTo < this.whole.head && (!last || last.sequence < sequence)) return { key: this.keyOf(sequence) };
    if (!last && !this.atStart) return { key: this.base };
    const key = this.keyOf(sequence);
    const near = [key - 1, key].flatMap((at) => this.lines(at) ?? []);
    return near.length ? { line: nearestOf(near, sequence) } : null;
  }

  retry(): void {
    this.problem.value = null;
    void this.load();
  }

  private moveTo(sequence: number): void {
    this.place++;
    this.blocks = [];
    this.after = this.upTo = sequence - 1;
    this.atStart = false;
  }

  /** Goes on until there is more than is looked at, or nothing more: where matches are rare, many answers are empty. */
  private async load(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const place = this.place;
    try {
      for (let step = this.next(); step && place === this.place; step = this.next()) {
        if (!(await step(place))) break;
      }
    } catch (error) {
      if (place === this.place) this.problem.value = Problem.of(error);
    } finally {
      this.asking = false;
    }
    if (place !== this.place && !this.stopped) this.want(...this.wanted);
  }

  /** A step answers whether it told anything; asking the same again would not. */
  private next(): ((place: number) => Promise<boolean>) | null {
    const [first, end] = this.wanted;
    // Later ones first: a place that is sought is where the lines after it begin.
    if (end >= this.end && this.upTo < this.whole.head) return (place) => this.later(place);
    if (first <= this.base && !this.atStart) return (place) => this.earlier(place);
    return null;
  }

  private async later(place: number): Promise<boolean> {
    const since = this.upTo;
    const page = await this.ask({ ...this.filter, since_sequence: since, limit: PAGE });
    if (place !== this.place) return false;
    this.add(page.logs, page.next_sequence);
    return this.upTo > since;
  }

  private async earlier(place: number): Promise<boolean> {
    const { after } = this;
    const page: LogPage = await this.ask({ ...this.filter, before_sequence: after + 1, limit: PAGE });
    if (place !== this.place) return false;
    this.atStart = !page.has_more;
    this.after = page.before_sequence - 1;
    const lines = page.logs.slice();
    // Full blocks from the end on, so that the one in view is not the one that is short.
    while (lines.length) this.blocks.unshift(lines.splice(-BLOCK)), this.base--;
    const told = this.atStart || this.after < after;
    this.trim();
    this.version.value++;
    return told;
  }

  private hear(after: number, upTo: number, lines: readonly LogLine[]): void {
    // What lies between is loaded when the end is looked at.
    if (after > this.upTo || upTo <= this.upTo) {
      this.version.value++;
      return;
    }
    this.add(
      lines.filter((line) => matches(this.filter, line)),
      upTo,
    );
  }

  private add(lines: readonly LogLine[], upTo: number): void {
    for (let at = firstFrom(lines, this.upTo + 1); at < lines.length; at++) {
      const block = this.blocks.at(-1);
      if (block && block.length < BLOCK) block.push(lines[at] as LogLine);
      else this.blocks.push([lines[at] as LogLine]);
    }
    this.upTo = Math.max(this.upTo, upTo);
    this.trim();
    this.version.value++;
  }

  /** Lets blocks go at the end that is farther from what is looked at. */
  private trim(): void {
    while (this.blocks.length * BLOCK > this.capacity) {
      const [first, end] = this.wanted;
      if (first - this.base > this.end - end) {
        this.after = (this.blocks.shift()?.at(-1) as LogLine).sequence;
        this.base++;
        this.atStart = false;
      } else {
        this.blocks.pop();
        this.upTo = (this.blocks.at(-1)?.at(-1) as LogLine).sequence;
      }
    }
  }
}
