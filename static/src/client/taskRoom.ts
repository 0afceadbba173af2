import type { Api } from "./api";
import { Problem } from "./problem";
import { RetryingRequest } from "./retryingRequest";
import type { Rooms, Watched } from "./rooms";
import { safely } from "./safely";
import { isTerminal, type EventPage, type Snapshot, type TaskEvent } from "./types";
import type { Progress, TaskSink } from "./watch";

/** One failed snapshot may be chance; after the second one the reader is told. */
const FAILURES_SHOWN = 2;

/** One task: snapshot, then live from exactly there, across every break, until the task's end. */
export class TaskRoom implements Watched {
  readonly name: string;
  readonly types = null;
  readonly rank = 1;
  ready = false;
  /** The last sequence handed to the sink. */
  cursor = 0;
  private state: Exclude<Progress, { kind: "catching up" }> = { kind: "loading" };
  private head = 0;
  /** Whether it is joined at its cursor. */
  private here = false;
  private finished = false;
  private lastGap = -1;
  /** Counts joins and polls, so that the answer to an earlier request is not taken for the present one. */
  private generation = 0;
  private readonly loading: RetryingRequest<Snapshot>;

  constructor(
    private readonly taskId: string,
    private readonly api: Pick<Api, "snapshot" | "eventsAfter">,
    private readonly rooms: Rooms,
    private readonly sink: TaskSink,
  ) {
    this.name = `task:${taskId}`;
    this.loading = new RetryingRequest(
      () => api.snapshot(taskId),
      (snapshot) => this.loaded(snapshot),
      (problem) => this.refused(problem),
      (problem, times) => times >= FAILURES_SHOWN && this.announce({ kind: "loading", problem }),
    );
  }

  get progress(): Progress {
    if (this.state.kind === "current" && this.cursor < this.head) {
      return { kind: "catching up", behind: this.head - this.cursor };
    }
    return this.state;
  }

  /** Loads a new snapshot, and goes on from there. */
  load(): void {
    this.leave();
    this.announce({ kind: "loading" });
    void this.loading.send();
  }

  resume(): void {
    if (this.state.kind === "loading" && !this.ready) void this.loading.sendNow();
  }

  pause(): void {
    this.loading.stop();
  }

  joined(head: number): void {
    this.here = true;
    this.head = head;
    this.announce({ kind: "current" });
  }

  left(): void {
    this.here = false;
    this.generation++;
  }

  event(event: TaskEvent): void {
    if (!this.here || event.sequence <= this.cursor) return;
    if (event.sequence > this.cursor + 1) return this.gap();
    this.take(event);
    if (this.cursor === this.head) this.sink.progress();
  }

  resync(): void {
    this.load();
  }

  /** Loads the snapshot if the terminal event has not come: the task would seem to run for ever. */
  ended(): void {
    if (this.finished) this.over({ kind: "ended" });
    else this.load();
  }

  refused(problem: Problem): void {
    this.over({ kind: "refused", problem });
  }

  async poll(): Promise<void> {
    const generation = ++this.generation;
    for (let more = true; more; ) {
      const page = await this.page();
      if (generation !== this.generation || !page) return;
      for (const event of page.events) {
        if (event.sequence === this.cursor + 1) this.take(event);
        if (generation !== this.generation) return; // the sink stopped the watch, or let all begin again
      }
      if (page.resync || this.cursor < page.next_sequence) return this.load();
      more = page.has_more;
    }
    if (this.finished) this.over({ kind: "ended" });
    else this.joined(this.cursor);
  }

  /** Returns null when there is no answer; the next round asks again. */
  private async page(): Promise<EventPage | null> {
    const { generation } = this;
    try {
      return await this.api.eventsAfter(this.taskId, this.cursor);
    } catch (error) {
      const problem = Problem.of(error);
      if (generation === this.generation && problem.isRefusal) this.refused(problem);
      return null;
    }
  }

  private loaded(snapshot: Snapshot): void {
    this.cursor = snapshot.sequence;
    this.finished = isTerminal(snapshot.task.status);
    safely(() => this.sink.snapshot(snapshot));
    if (this.finished) return this.over({ kind: "ended" });
    this.ready = true;
    this.rooms.assign();
  }

  private take(event: TaskEvent): void {
    this.cursor = event.sequence;
    if (event.type === "task_status" && isTerminal(event.status)) this.finished = true;
    this.sink.event(event);
  }

  /** Joins again at the cursor to get what was missed. When the same gap comes again, a snapshot closes it. */
  private gap(): void {
    const again = this.lastGap === this.cursor;
    this.lastGap = this.cursor;
    if (again) return this.load();
    this.here = false;
    this.rooms.rejoin(this);
  }

  private over(state: TaskRoom["state"]): void {
    this.loading.stop();
    this.leave();
    this.announce(state);
  }

  private leave(): void {
    this.left();
    this.ready = false;
    this.rooms.assign();
  }

  private announce(state: TaskRoom["state"]): void {
    this.state = state;
    this.sink.progress();
  }
}
