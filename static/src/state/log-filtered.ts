import { signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogFilter, LogLine, LogPage } from "../client/types";
import { HELD_LINES, type LogStore } from "./log";
import { passes } from "./log-filters";
import { BLOCK } from "./log-held";
import { isReplaced } from "./log-replaced";
import { firstFrom, nearestOf, type LoadLog, type LogSource, type Nearest } from "./log-source";

const PAGE = 500;

/** The lines of a log that pass a filter, loaded from one position in both directions. Their positions are not known before
 * they are loaded, so the blocks are numbered from there, backwards too. */
export class FilteredLog implements LogSource {
  readonly version = signal(0);
  readonly problem = signal<Problem | null>(null);
  readonly blanks = 0;
  /** Every match after `after` and up to `upTo` is here. */
  after: number;
  upTo: number;

  private blocks: LogLine[][] = [];
  private base = 0;
  /** Whether nothing before `after` can match. */
  private atStart = false;
  private wanted: [first: number, end: number] = [0, 0];
  private loading = false;
  private stopped = false;
  /** Counts positions, so that an answer for an earlier position is ignored. */
  private position = 0;
  private readonly unlisten: () => void;

  constructor(
    private readonly loadPage: LoadLog,
    private readonly whole: LogStore,
    readonly filter: LogFilter,
    at: number | null,
    private readonly capacity = HELD_LINES,
  ) {
    this.after = this.upTo = at === null ? whole.head : at - 1;
    this.unlisten = whole.listen((after, upTo, lines) => this.received(after, upTo, lines));
  }

  stop(): void {
    this.stopped = true;
    this.position++;
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

  nextShown(key: number): number {
    return key;
  }

  isBlank(): boolean {
    return false;
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
    this.position++;
    this.blocks = [];
    this.after = this.upTo = sequence - 1;
    this.atStart = false;
  }

  /** Loads until the view is filled or the log ends: where matches are rare, many answers are empty. */
  private async load(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    const position = this.position;
    try {
      for (let step = this.next(); step && position === this.position; step = this.next()) {
        if (!(await step(position))) break;
      }
    } catch (error) {
      if (position === this.position) this.problem.value = Problem.of(error);
    } finally {
      this.loading = false;
    }
    if (position !== this.position && !this.stopped) this.want(...this.wanted);
  }

  /** Returns the next request, null when there is none. It resolves to whether it brought anything new; otherwise the same
   * request would not either. */
  private next(): ((position: number) => Promise<boolean>) | null {
    const [first, end] = this.wanted;
    // Later lines first: the position that is searched for is before them.
    if (end >= this.end && this.upTo < this.whole.head) return (position) => this.later(position);
    if (first <= this.base && !this.atStart) return (position) => this.earlier(position);
    return null;
  }

  private async later(position: number): Promise<boolean> {
    const since = this.upTo;
    const page = await this.loadPage({ ...this.filter, since_sequence: since, limit: PAGE });
    if (position !== this.position) return false;
    this.add(page.logs, page.next_sequence);
    return this.upTo > since;
  }

  private async earlier(position: number): Promise<boolean> {
    const { after } = this;
    const page: LogPage = await this.loadPage({ ...this.filter, before_sequence: after + 1, limit: PAGE });
    if (position !== this.position) return false;
    this.atStart = !page.has_more;
    this.after = page.before_sequence - 1;
    const lines = page.logs.slice();
    // Full blocks from the end on, so that the short block is not the one in view.
    while (lines.length) this.blocks.unshift(lines.splice(-BLOCK)), this.base--;
    const isNew = this.atStart || this.after < after;
    this.trim();
    this.version.value++;
    return isNew;
  }

  private received(after: number, upTo: number, lines: readonly LogLine[]): void {
    // The lines between are loaded when the end is in view.
    if (after > this.upTo || upTo <= this.upTo) {
      this.version.value++;
      return;
    }
    this.add(
      lines.filter((line) => passes(this.filter, line)),
      upTo,
    );
  }

  private add(lines: readonly LogLine[], upTo: number): void {
    for (const line of lines.slice(firstFrom(lines, this.upTo + 1))) {
      const block = this.blocks.at(-1);
      const last = block?.at(-1);
      if (last && isReplaced(last, line)) block?.pop();
      if (block && block.length < BLOCK) block.push(line);
      else this.blocks.push([line]);
    }
    this.upTo = Math.max(this.upTo, upTo);
    this.trim();
    this.version.value++;
  }

  /** Drops blocks at the end that is farther from the view. */
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
