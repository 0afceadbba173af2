import { signal, type Signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogFilter, LogLine } from "../client/types";
import type { LogStore } from "./log";
import { FilteredLog } from "./log-filtered";
import { formatLines, parseLines, type LineRange } from "./log-link";
import type { AskLog, LogSource } from "./log-source";
import { search, type Direction } from "./log-search";

/** What draws the lines and knows where the reader is. */
export interface LogScroller {
  show(sequence: number): void;
  toTop(): void;
  /** The sequence of the first line in view. */
  top(): number | null;
}

const TOLD_MS = 5_000;
const count = (value: number): string => value.toLocaleString("en");

/** How one reader looks at a log: through which filter, following its end or not, what is marked and searched for. */
export class LogView {
  readonly source: Signal<LogSource>;
  readonly filter = signal<LogFilter>({});
  /** Rises with every other filter: another list. */
  readonly turn = signal(0);
  readonly follow = signal(true);
  /** Whether the end is in view, followed or not. */
  readonly atEnd = signal(true);
  /** What the address points at. */
  readonly range = signal<LineRange | null>(null);
  /** Where a search or a jump has come to. */
  readonly current = signal<number | null>(null);
  readonly query = signal("");
  readonly searching = signal(false);
  /** One short sentence about what was asked for. */
  readonly said = signal("");
  scroller: LogScroller | null = null;
  /** The line that a scroller which is not there yet is to begin with. */
  start: number | null = null;

  private read = 0;
  private hash = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = new AbortController();

  constructor(
    private readonly store: LogStore,
    private readonly ask: AskLog,
  ) {
    this.source = signal<LogSource>(store);
  }

  stop(): void {
    this.cancel();
    clearTimeout(this.timer);
    this.leave();
  }

  /** Lines that came since the end was let go. */
  get unread(): number {
    return this.store.appended - this.read;
  }

  /** Lets the end go, so that nothing moves while somebody reads. */
  hold(): void {
    if (!this.follow.value) return;
    this.follow.value = false;
    this.read = this.store.appended;
  }

  toEnd(): void {
    this.current.value = null;
    this.follow.value = true;
  }

  toTop(): void {
    this.hold();
    this.scroller?.toTop();
  }

  /** Looks through another filter, from the line that is being read. */
  look(filter: LogFilter): void {
    const before = this.filter.value;
    if (before.level === filter.level && before.phase === filter.phase) return;
    const at = this.follow.value ? null : (this.scroller?.top() ?? this.start);
    this.leave();
    this.start = at;
    this.scroller = null;
    this.turn.value++;
    this.filter.value = filter;
    this.source.value =
      filter.level || filter.phase ? new FilteredLog(this.ask, this.store, filter, at) : this.store;
  }

  /** Goes to what the hash of an address points at, if that is another one. */
  open(hash: string): void {
    if (hash === this.hash) return;
    this.hash = hash;
    const range = parseLines(hash);
    this.range.value = range;
    if (!range) return;
    if (range.from > this.store.head) {
      this.tell(`Line ${count(range.from)} is beyond the end, ${count(this.store.head)}`);
      return;
    }
    this.say("");
    this.go(range.from);
  }

  /** Says something for a while: it need not be true for longer. */
  tell(text: string): void {
    this.say(text);
    this.timer = setTimeout(() => this.say(""), TOLD_MS);
  }

  /** Marks a line, or with `extend` all from the one marked before; returns the hash for it. */
  mark(sequence: number, extend: boolean): string {
    const from = extend ? (this.range.value?.from ?? sequence) : sequence;
    this.range.value = { from: Math.min(from, sequence), to: Math.max(from, sequence) };
    this.hold();
    return (this.hash = formatLines(this.range.value));
  }

  unmark(): void {
    this.range.value = null;
    this.hash = "";
  }

  /** Goes to the next or previous line with the text that is searched for. */
  async find(direction: Direction): Promise<void> {
    const q = this.query.value;
    if (q) await this.seek({ ...this.filter.value, q }, direction, this.from(direction), `No line has “${q}”`);
  }

  async findError(direction: Direction): Promise<void> {
    const level = this.filter.value.level === "CRITICAL" ? "CRITICAL" : "ERROR";
    await this.seek({ ...this.filter.value, level }, direction, this.from(direction), "No errors");
  }

  /** Searches for another text; the line where the last one was found may hold it too. */
  async type(q: string): Promise<void> {
    this.cancel();
    this.query.value = q;
    this.say("");
    const at = this.current.value;
    if (!q) this.current.value = null;
    else if (at === null) await this.find("next");
    else await this.seek({ ...this.filter.value, q }, "next", at - 1, `No line has “${q}”`);
  }

  /** Stops a search; false when none was under way. */
  cancel(): boolean {
    this.asked.abort();
    const was = this.searching.value;
    this.searching.value = false;
    if (was) this.say("");
    return was;
  }

  private async seek(filter: LogFilter, direction: Direction, from: number, none: string): Promise<void> {
    this.cancel();
    const { signal } = (this.asked = new AbortController());
    this.searching.value = true;
    const of = this.store.head;
    const told = (looked: number): void => {
      if (!signal.aborted) this.say(`Searching… ${count(Math.min(looked, of))} of ${count(of)}`);
    };
    told(0);
    try {
      const hit = await search(this.ask, filter, from, direction, told, signal);
      if (signal.aborted) return;
      this.searching.value = false;
      this.tell(hit ? (hit.wrapped ? `Went on from the ${direction === "next" ? "start" : "end"}` : "") : none);
      if (hit) this.arrive(hit.line);
    } catch (error) {
      if (signal.aborted) return;
      this.searching.value = false;
      this.tell(Problem.of(error).message);
    }
  }

  /** Where a search begins: at what it came to before, else at what is in view. */
  private from(direction: Direction): number {
    if (this.current.value !== null) return this.current.value;
    if (direction === "previous" && this.follow.value) return this.store.head + 1;
    const top = this.scroller?.top() ?? this.store.head + 1;
    return direction === "next" ? top - 1 : top;
  }

  private arrive(line: LogLine): void {
    this.current.value = line.sequence;
    this.go(line.sequence);
  }

  private go(sequence: number): void {
    this.hold();
    this.start = sequence;
    this.scroller?.show(sequence);
  }

  private say(text: string): void {
    clearTimeout(this.timer);
    this.said.value = text;
  }

  private leave(): void {
    if (this.source.value instanceof FilteredLog) this.source.value.stop();
  }
}
