import type { LogFilter, LogLine } from "../client/types";
import { count } from "./format";
import { LogPlaces, MOST_PLACES } from "./log-places";
import type { LoadLog } from "./log-source";

const PAGE = 1_000;

/** The places of the first lines that pass whatever filter: they are looked for page by page. */
export class PagedPlaces extends LogPlaces {
  private more = false;

  constructor(
    private readonly load: LoadLog,
    filter: LogFilter,
  ) {
    super(filter);
  }

  override misses(upTo: number): boolean {
    return super.misses(upTo) && !this.more;
  }

  override async update(log: { readonly head: number }, cancelled: AbortSignal): Promise<void> {
    while (this.misses(log.head) && !cancelled.aborted) {
      const since = this.upTo;
      const page = await this.load({ ...this.filter, since_sequence: since, limit: PAGE });
      if (cancelled.aborted || page.next_sequence <= since) return;
      // The stream may have brought some of them meanwhile.
      const from = this.upTo;
      this.add(page.logs.filter(({ sequence }) => sequence > from), Math.max(from, page.next_sequence));
      this.more = this.found.length >= MOST_PLACES && page.has_more;
    }
  }

  override position(sequence: number): string {
    const at = this.from(sequence);
    const all = `${count(this.found.length)}${this.more ? "+" : ""}`;
    if (this.more && sequence > this.upTo) return `One of ${all}`;
    return this.found[at] === sequence ? `${count(at + 1)} of ${all}` : "";
  }

  protected override add(lines: readonly LogLine[], upTo: number): void {
    super.add(lines, upTo);
    this.more = this.found.length >= MOST_PLACES;
  }
}
