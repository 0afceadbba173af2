import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { Status, TaskEvent } from "../client/types";
import { isUnfiltered, taskFilterOf, type RunFilter } from "./filter";

type Counts = Readonly<Record<Status, number>>;

/** How many runs have which status and how many need approval, without these filters of the list. */
export class StatusTally {
  readonly value = signal<Counts | null>(null);
  /** How many wait for approval, or have a step that does. */
  readonly approvals = signal(0);
  /** Whether all were counted: with some filters the server counts the newest only. */
  readonly complete = signal(true);
  /** Whether the events of the user's stream are enough to count. They name neither job nor title, nor other users' runs. */
  readonly exact: boolean;
  private sequence = 0;
  /** Requests under way, and the events meanwhile, which their answers may or may not include. */
  private asking = 0;
  private meanwhile: TaskEvent[] = [];

  constructor(
    private readonly api: Pick<Api, "counts">,
    private readonly filter: RunFilter,
  ) {
    this.exact = filter.scope === "mine" && isUnfiltered({ ...filter, status: null, approval: false });
  }

  /** Throws Problem. */
  async load(): Promise<void> {
    const { status: _, approval: _approval, ...rest } = taskFilterOf(this.filter);
    this.asking++;
    try {
      const { counts, approval, sequence, complete } = await this.api.counts(rest);
      // Of two requests the later one may be answered first.
      if (sequence < this.sequence) return;
      this.sequence = sequence;
      this.complete.value = complete;
      const later = this.meanwhile.filter((event) => event.sequence > sequence);
      this.approvals.value = later.reduce((sum, event) => sum + asking(event), approval ?? 0);
      this.value.value = later.reduce(counted, counts);
    } finally {
      if (!--this.asking) this.meanwhile = [];
    }
  }

  event(event: TaskEvent): void {
    if (!this.exact || event.sequence <= this.sequence) return;
    if (event.type !== "task_created" && event.type !== "status_changed") return;
    if (this.asking) this.meanwhile.push(event);
    if (!this.value.value) return;
    this.value.value = counted(this.value.value, event);
    this.approvals.value += asking(event);
  }
}

/** Returns the counts after one more event. */
function counted(counts: Counts, event: TaskEvent): Counts {
  const after = { ...counts };
  after[event.status as Status]++;
  if (event.type === "status_changed") after[event.previous_status as Status]--;
  return after;
}

export const total = (counts: Counts): number => Object.values(counts).reduce((sum, number) => sum + number, 0);

/** By how many more runs need approval after an event of one of them. */
const asking = ({ type, status, previous_status }: TaskEvent): number =>
  Number(status === "WAITING") - Number(type === "status_changed" && previous_status === "WAITING");

/** Whether a `status_changed` of a step changes how many runs need approval. */
export const changesApprovals = ({ status, previous_status }: TaskEvent): boolean => status === "WAITING" || previous_status === "WAITING";
