import { signal } from "@preact/signals";
import { Backoff } from "../client/backoff";
import { Problem } from "../client/problem";
import type { LogFilter } from "../client/types";
import type { LogStore } from "./log";
import { sameFilter } from "./log-filters";
import { MarkedPlaces } from "./log-marked-places";
import { PagedPlaces } from "./log-paged-places";
import type { LogPlaces } from "./log-places";
import type { LoadLog, LoadMarks } from "./log-source";

/** So long after the log has come its marks are looked for. */
const LATER_MS = 500;

/** Where a log has errors, warnings and hits of the search. The server is asked for the first two once the log has come, again where
 * the stream leaves out lines, and until it answers; what the stream brings is added. */
export class LogMarks {
  readonly errors: MarkedPlaces;
  readonly warnings: MarkedPlaces;
  /** Of the text that was searched for last; null when there is none. */
  readonly hits = signal<LogPlaces | null>(null);

  private readonly others: LogPlaces[] = [];
  private readonly stopping = new AbortController();
  private readonly unlisten: () => void;
  private started = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();

  constructor(
    private readonly store: LogStore,
    private readonly load: LoadLog,
    loadMarks: LoadMarks,
  ) {
    this.errors = new MarkedPlaces(() => loadMarks("errors"), { errors: true });
    this.warnings = new MarkedPlaces(() => loadMarks("warnings"), { level: "WARNING" });
    this.unlisten = store.listen((after, upTo, lines) => {
      for (const places of [this.errors, this.warnings, ...this.others]) places.receive(after, upTo, lines);
      // A snapshot after a break leaves out what came meanwhile.
      if (this.started && (this.errors.misses(upTo) || this.warnings.misses(upTo))) this.later();
    });
  }

  /** Begins to look for errors and warnings. */
  start(): void {
    this.started = true;
    this.later();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stopping.abort();
    this.unlisten();
  }

  /** Returns which of all lines that pass a filter one is, "3 of 12"; empty where that is not known. Those with the text
   * of a search are hits from then on. Throws Problem. */
  async position(filter: LogFilter, sequence: number, cancelled: AbortSignal): Promise<string> {
    const places = this.of(filter);
    if (filter.q) this.hits.value = places;
    await places.update(this.store, cancelled);
    return cancelled.aborted ? "" : places.position(sequence);
  }

  /** The last few are kept. */
  private of(filter: LogFilter): LogPlaces {
    const known = [this.errors, this.warnings, ...this.others].find((places) => sameFilter(places.filter, filter));
    if (known) return known;
    const made = new PagedPlaces(this.load, filter);
    this.others.unshift(made);
    this.others.length = Math.min(this.others.length, 2);
    return made;
  }

  /** One look at a time. */
  private later(): void {
    if (!this.stopping.signal.aborted) this.timer ??= setTimeout(() => void this.look(), LATER_MS);
  }

  private async look(): Promise<void> {
    try {
      for (const places of [this.errors, this.warnings]) await places.update(this.store, this.stopping.signal);
      this.timer = undefined;
      this.backoff.reset();
    } catch (error) {
      // The log itself says that the server does not answer, or refuses.
      if (this.stopping.signal.aborted || Problem.of(error).isRefusal) return;
      this.timer = setTimeout(() => void this.look(), this.backoff.next());
    }
  }
}
