import type { LogFilter, LogLine, LogMarksPage } from "../client/types";
import { count } from "./format";
import { LogPlaces, MOST_PLACES } from "./log-places";

/** After more are thinned out. */
const THINNED = MOST_PLACES / 2;

/** The places of errors or warnings in the whole log, as the server marks them: of very many the first in each stretch of as many
 * sequences, so that each part of the log has some. */
export class MarkedPlaces extends LogPlaces {
  /** 1: every place is here. */
  private stretch = 1;

  constructor(
    private readonly load: () => Promise<LogMarksPage>,
    filter: LogFilter,
  ) {
    super(filter);
  }

  override async update(log: { readonly head: number }, cancelled: AbortSignal): Promise<void> {
    while (this.misses(log.head) && !cancelled.aborted) {
      const { places, stretch, head } = await this.load();
      // The stream may have brought more meanwhile.
      if (cancelled.aborted || !this.misses(head)) return;
      this.found = places;
      this.stretch = stretch;
      this.upTo = head;
      this.version.value++;
    }
  }

  override position(sequence: number): string {
    if (this.stretch > 1) return `One of ${count(MOST_PLACES)}+`;
    const at = this.from(sequence);
    return this.found[at] === sequence ? `${count(at + 1)} of ${count(this.found.length)}` : "";
  }

  /** Returns how many places there are from one sequence up to another; where they are not all here, whether there is one: "some", or
   * "unknown". */
  within(first: number, last: number): number | "some" | "unknown" {
    const from = this.from(first);
    const found = this.from(last + 1) - from;
    if (this.stretch === 1) return found;
    if (found > 0) return "some";
    const before = this.found[from - 1];
    return before !== undefined && this.stretchOf(before) === this.stretchOf(first) ? "unknown" : 0;
  }

  protected override add(lines: readonly LogLine[], upTo: number): void {
    super.add(lines, upTo);
    if (this.stretch > 1 && lines.length) this.thin();
    if (this.found.length <= MOST_PLACES) return;
    while (this.found.length > THINNED) {
      this.stretch *= 2;
      this.thin();
    }
  }

  private thin(): void {
    const { found } = this;
    this.found = found.filter((place, index) => index === 0 || this.stretchOf(place) !== this.stretchOf(found[index - 1] as number));
  }

  private stretchOf(sequence: number): number {
    return Math.floor((sequence - 1) / this.stretch);
  }
}
