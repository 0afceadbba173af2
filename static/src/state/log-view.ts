import { effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { Problem } from "../client/problem";
import type { LogFilter } from "../client/types";
import { count } from "./format";
import type { LogStore } from "./log";
import { FilteredLog } from "./log-filtered";
import { errorsOf } from "./log-filters";
import { LogFolds } from "./log-folds";
import { formatLines, parseLines, type LineRange } from "./log-link";
import { LogMarks } from "./log-marks";
import type { Section } from "./log-sections";
import { searchLog, type Direction } from "./log-search";
import type { LoadLog, LoadMarks, LogSource } from "./log-source";
import { ShortMessage } from "./short-message";

/** Draws the lines and knows the scroll position. */
export interface LogScroller {
  show(sequence: number): void;
  toTop(): void;
  /** Draws and measures again, as after a change of a height. */
  draw(): void;
  /** Returns the sequence of the first line in view. */
  top(): number | null;
}

/** How a reader looks at a log: the filter, whether its end is followed, what is marked and searched for. */
export class LogView {
  readonly source: Signal<LogSource>;
  readonly filter = signal<LogFilter>({});
  /** Rises with every other filter: another list. */
  readonly generation = signal(0);
  readonly follow = signal(true);
  /** Whether the end is in view, followed or not. */
  readonly atEnd = signal(true);
  /** The lines in the address. */
  readonly range = signal<LineRange | null>(null);
  /** The line that a search or a jump has found. */
  readonly current = signal<number | null>(null);
  readonly query = signal("");
  readonly searching = signal(false);
  /** One short sentence about the last search or jump. */
  readonly message: ReadonlySignal<string>;
  /** The sequence of the first line in view. */
  readonly top = signal<number | null>(null);
  readonly marks: LogMarks;
  scroller: LogScroller | null = null;
  /** The line with which the next scroller begins. */
  start: number | null = null;

  private readonly unfollow: () => void;
  private read = 0;
  private hash = "";
  private readonly said = new ShortMessage();
  private search = new AbortController();

  constructor(
    readonly store: LogStore,
    private readonly loadPage: LoadLog,
    loadMarks: LoadMarks,
    readonly folds = new LogFolds("", signal([])),
  ) {
    this.source = signal<LogSource>(store);
    this.message = this.said.text;
    this.marks = new LogMarks(store, loadPage, loadMarks);
    // The first block has the headers of sections that began before it, whose lines were pruned.
    store.nextShown = (key) => (key === store.first ? key : folds.nextShown(key));
    // Its header counts on.
    this.unfollow = effect(() => {
      if (!this.endHidden) return;
      this.hold();
      if (!this.scroller) this.start = (folds.hidden.peek().at(-1)?.from ?? 1) - 1;
    });
  }

  stop(): void {
    this.cancel();
    this.marks.stop();
    this.unfollow();
    this.said.stop();
    this.leaveSource();
  }

  /** Whether a fold hides what comes next: the end is not followed then. */
  get endHidden(): boolean {
    return this.source.value === this.store && this.folds.hidesEnd;
  }

  /** Lines that came since the end was last followed. */
  get unread(): number {
    return this.store.appended - this.read;
  }

  /** Stops following the end, so that nothing moves while the user reads. */
  hold(): void {
    if (!this.follow.peek()) return;
    this.follow.value = false;
    this.read = this.store.appended;
  }

  toEnd(): void {
    if (this.current.value !== null) this.said.keep("");
    this.current.value = null;
    for (const end of [this.store.head, Infinity]) this.folds.reveal(end);
    this.follow.value = true;
  }

  toTop(): void {
    this.hold();
    this.scroller?.toTop();
  }

  /** Sets another filter; the view stays at the line that is read. */
  setFilter(filter: LogFilter): void {
    const before = this.filter.value;
    if (before.level === filter.level && before.phase === filter.phase) return;
    const at = this.follow.value ? null : (this.scroller?.top() ?? this.start);
    this.leaveSource();
    this.start = at;
    this.scroller = null;
    this.generation.value++;
    this.filter.value = filter;
    this.source.value =
      filter.level || filter.phase ? new FilteredLog(this.loadPage, this.store, filter, at) : this.store;
  }

  /** Goes to the lines in the hash of an address, if it is another hash than before. */
  open(hash: string): void {
    if (hash === this.hash) return;
    this.hash = hash;
    const range = parseLines(hash);
    this.range.value = range;
    if (!range) return;
    if (range.from > this.store.head) {
      // Its sequence is in the address, and no number of a line.
      this.showMessage("The line of this address is beyond the end");
      return;
    }
    this.said.keep("");
    this.scrollTo(range.from);
  }

  readonly showMessage = (text: string): void => this.said.show(text);

  /** Marks a line, or with `extend` all from the one marked before; returns the hash for it. */
  mark(sequence: number, extend: boolean): string {
    const from = extend ? (this.range.value?.from ?? sequence) : sequence;
    this.range.value = { from: Math.min(from, sequence), to: Math.max(from, sequence) };
    this.hold();
    return (this.hash = formatLines(this.range.value));
  }

  goTo(sequence: number): void {
    this.said.keep("");
    this.scrollTo(sequence);
  }

  /** Folds a section, or opens it; its header comes into view. */
  fold(section: Section): void {
    this.hold();
    this.folds.toggle(section);
    this.scroller?.show(section.first);
  }

  unmark(): void {
    this.range.value = null;
    this.hash = "";
  }

  /** Goes to the next or previous line with the text of the search. */
  async find(direction: Direction): Promise<void> {
    const q = this.query.value;
    if (q) await this.seek({ ...this.filter.value, q }, direction, this.searchStart(direction), `No line has “${q}”`);
  }

  /** Goes to the next or previous error, and says which of all it is. */
  async findError(direction: Direction): Promise<void> {
    const filter = errorsOf(this.filter.value);
    await this.seek(filter, direction, this.searchStart(direction), "No line tells of an error");
  }

  /** Searches for another text; the line of the last hit may have it too. */
  async searchFor(q: string): Promise<void> {
    this.cancel();
    this.query.value = q;
    this.said.keep("");
    const at = this.current.value;
    if (!q) this.current.value = this.marks.hits.value = null;
    else if (at === null) await this.find("next");
    else await this.seek({ ...this.filter.value, q }, "next", at - 1, `No line has “${q}”`);
  }

  /** Stops a search; returns false when none was under way. */
  cancel(): boolean {
    this.search.abort();
    const was = this.searching.value;
    this.searching.value = false;
    if (was) this.said.keep("");
    return was;
  }

  /** Goes to the line that is found, and says which of all it is. */
  private async seek(filter: LogFilter, direction: Direction, from: number, none: string): Promise<void> {
    this.cancel();
    const { signal } = (this.search = new AbortController());
    this.searching.value = true;
    const total = this.store.head;
    const progress = (looked: number): void => {
      if (!signal.aborted) this.said.keep(`Searching… ${count(Math.min(looked, total))} of ${count(total)}`);
    };
    progress(0);
    try {
      const hit = await searchLog(this.loadPage, filter, from, direction, progress, signal);
      if (signal.aborted) return;
      this.searching.value = false;
      this.showMessage(hit ? (hit.wrapped ? `Went on from the ${direction === "next" ? "start" : "end"}` : "") : none);
      if (!hit) return;
      const { sequence } = hit.line;
      this.current.value = sequence;
      this.scrollTo(sequence);
      const position = await this.marks.position(filter, sequence, signal);
      // It stays as long as the hit is the current line.
      if (position) this.said.keep([position, this.message.value].filter(Boolean).join(" · "));
    } catch (error) {
      if (signal.aborted) return;
      this.searching.value = false;
      this.showMessage(Problem.of(error).message);
    }
  }

  /** Returns where a search begins: at its last hit, else at the view. */
  private searchStart(direction: Direction): number {
    if (this.current.value !== null) return this.current.value;
    if (direction === "previous" && this.follow.value) return this.store.head + 1;
    const top = this.scroller?.top() ?? this.store.head + 1;
    return direction === "next" ? top - 1 : top;
  }

  private scrollTo(sequence: number): void {
    this.hold();
    this.folds.reveal(sequence);
    this.start = sequence;
    this.scroller?.show(sequence);
  }

  private leaveSource(): void {
    if (this.source.value instanceof FilteredLog) this.source.value.stop();
  }
}
