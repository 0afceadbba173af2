import type { LogFilter } from "../client/types";
import { firstIndex } from "./first-index";
import { count } from "./format";
import type { LoadLog } from "./log-source";

const PAGE = 1_000;
/** More are not counted one by one. */
const MOST = 5_000;

/** Returns the filter that only errors pass: also those of items that are counted as failed, where their level is shown. */
export const errorsOf = ({ level, phase }: LogFilter): LogFilter =>
  level === "ERROR" || level === "CRITICAL" ? { level, phase } : { errors: true, phase };

/** The places of all errors that pass a filter, so that one can be said to be the third of twelve. */
export class LogErrors {
  private readonly sequences: number[] = [];
  /** Every error up to here is known. */
  private upTo = 0;
  private more = false;

  constructor(
    private readonly load: LoadLog,
    readonly filter: LogFilter,
  ) {}

  /** Looks for further errors up to the end of the log. Throws Problem. */
  async update(head: number, cancelled: AbortSignal): Promise<void> {
    while (this.upTo < head && !this.more && !cancelled.aborted) {
      const page = await this.load({ ...this.filter, since_sequence: this.upTo, limit: PAGE });
      if (cancelled.aborted || page.next_sequence <= this.upTo) return;
      this.sequences.push(...page.logs.map(({ sequence }) => sequence));
      this.upTo = page.next_sequence;
      this.more = this.sequences.length >= MOST && page.has_more;
    }
  }

  /** "3 of 12"; empty for a line that is not among those that are known. */
  position(sequence: number): string {
    const { sequences } = this;
    const at = firstIndex(sequences.length, (index) => (sequences[index] as number) >= sequence);
    return sequences[at] === sequence ? `${count(at + 1)} of ${count(sequences.length)}${this.more ? "+" : ""}` : "";
  }
}
