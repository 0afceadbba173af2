import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { Status, TaskEvent } from "../client/types";
import { queryOf, type Filter } from "./filter";

export type Counts = Readonly<Record<Status, number>>;

/** How many runs have which status, whatever status the list is narrowed to. */
export class StatusTally {
  readonly value = signal<Counts | null>(null);
  /** Whether the events of one's own stream say all that changes here: whose job or title it is they do not say. */
  readonly exact: boolean;
  private sequence = 0;
  /** Answers under way, and the events meanwhile, which an answer may or may not count. */
  private asking = 0;
  private meanwhile: TaskEvent[] = [];

  constructor(
    private readonly api: Pick<Api, "counts">,
    private readonly filter: Filter,
  ) {
    this.exact = filter.scope === "mine" && !filter.job_type && !filter.q;
  }

  /** Throws Problem. */
  async load(): Promise<void> {
    const { status: _, ...rest } = queryOf(this.filter);
    this.asking++;
    try {
      const { counts, sequence } = await this.api.counts(rest);
      // Of two that were asked for together the later one may be answered first.
      if (sequence < this.sequence) return;
      this.sequence = sequence;
      this.value.value = this.meanwhile.filter((event) => event.sequence > sequence).reduce(counted, counts);
    } finally {
      if (!--this.asking) this.meanwhile = [];
    }
  }

  event(event: TaskEvent): void {
    if (!this.exact || event.sequence <= this.sequence) return;
    if (event.type !== "task_created" && event.type !== "status_changed") return;
    if (this.asking) this.meanwhile.push(event);
    if (this.value.value) this.value.value = counted(this.value.value, event);
  }
}

/** The counts after one more event. */
export function counted(counts: Counts, event: TaskEvent): Counts {
  const after = { ...counts };
  after[event.status as Status]++;
  if (event.type === "status_changed") after[event.previous_status as Status]--;
  return after;
}

export const total = (counts: Counts): number => Object.values(counts).reduce((sum, number) => sum + number, 0);
