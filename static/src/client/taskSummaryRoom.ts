import type { Api } from "./api";
import { RetryingRequest } from "./retryingRequest";
import type { Rooms, Watched } from "./rooms";
import { SUMMARY_TYPES } from "./taskSummary";
import { isTerminal, type Snapshot, type TaskEvent } from "./types";
import type { TaskSink } from "./watch";

/** One task of which only the summary is watched: without its log, and without a snapshot where the wire needs none. */
export class TaskSummaryRoom implements Watched {
  readonly name: string;
  readonly types = SUMMARY_TYPES;
  readonly rank = 0;
  ready = true;
  cursor: number | null = null;
  /** The task ended before the wire brought its state; only the snapshot shows how. */
  private endUnknown = false;
  private readonly loading: RetryingRequest<Snapshot>;

  constructor(
    taskId: string,
    api: Pick<Api, "snapshot">,
    private readonly rooms: Rooms,
    private readonly sink: TaskSink,
  ) {
    this.name = `task:${taskId}`;
    this.loading = new RetryingRequest(
      () => api.snapshot(taskId),
      (snapshot) => this.loaded(snapshot),
      () => this.refused(),
    );
  }

  joined(_head: number, from: number | null): void {
    if (this.cursor === null && from !== null) void this.loading.sendNow();
  }

  event(event: TaskEvent): void {
    this.cursor = Math.max(this.cursor ?? 0, event.sequence);
    this.sink.event(event);
  }

  resync(): void {
    this.cursor = null;
    this.rooms.rejoin(this);
  }

  ended(): void {
    if (this.cursor !== null) return this.finish();
    this.endUnknown = true;
    this.ready = false;
    this.rooms.assign();
    void this.loading.sendNow();
  }

  refused(): void {
    this.finish();
  }

  left(): void {
    if (!this.endUnknown) this.loading.stop();
  }

  /** The join begins everything else. */
  resume(): void {
    if (this.endUnknown) void this.loading.sendNow();
  }

  pause(): void {
    this.loading.stop();
  }

  poll(): Promise<void> {
    return this.loading.sendNow();
  }

  private loaded(snapshot: Snapshot): void {
    this.cursor = Math.max(this.cursor ?? 0, snapshot.sequence);
    this.sink.snapshot(snapshot);
    if (isTerminal(snapshot.task.status)) return this.finish();
    if (!this.endUnknown) return;
    // The request was sent before the end, which is after this snapshot.
    this.endUnknown = false;
    this.ready = true;
    this.rooms.assign();
  }

  private finish(): void {
    this.ready = this.endUnknown = false;
    this.left();
    this.rooms.assign();
  }
}
