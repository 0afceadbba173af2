import type { Api } from "./api";
import type { Rooms } from "./rooms";
import { safely } from "./safely";
import { TaskRoom } from "./taskRoom";
import { TaskSummaryRoom } from "./taskSummaryRoom";
import type { Snapshot, TaskEvent } from "./types";
import type { Progress, TaskSink } from "./watch";

/** One watch of a task. */
export interface Watcher {
  readonly sink: TaskSink;
  /** The sink has a state that events can follow. */
  begun: boolean;
  /** The whole task, with its log, and not only its summary. */
  readonly whole: boolean;
}

/** All watchers of one task, with one room for them. A later watcher lets all begin again, with one snapshot. */
export class SharedTask implements TaskSink {
  private readonly watchers = new Set<Watcher>();
  private room: TaskRoom | TaskSummaryRoom | null = null;

  constructor(
    readonly taskId: string,
    private readonly api: Api,
    private readonly rooms: Rooms,
  ) {}

  get watchProgress(): Progress {
    return this.room instanceof TaskRoom ? this.room.progress : { kind: "loading" };
  }

  add(sink: TaskSink, whole: boolean): Watcher {
    const watcher = { sink, whole, begun: false };
    this.watchers.add(watcher);
    this.begin();
    return watcher;
  }

  /** Returns whether it was the last one. */
  remove(watcher: Watcher): boolean {
    this.watchers.delete(watcher);
    if (!this.watchers.size) this.end();
    else if (!this.isWhole && this.room instanceof TaskRoom) this.begin();
    return !this.watchers.size;
  }

  snapshot(snapshot: Snapshot): void {
    this.notify((watcher) => {
      watcher.begun = true;
      watcher.sink.snapshot(snapshot);
    });
  }

  event(event: TaskEvent): void {
    this.notify(({ sink, whole, begun }) => {
      if (begun || !whole) sink.event(event);
    });
  }

  progress(): void {
    this.notify(({ sink }) => sink.progress());
  }

  /** Calls the present watchers. A callback may stop other watchers, or add some, which first need a snapshot. */
  private notify(call: (watcher: Watcher) => void): void {
    const { room } = this;
    for (const watcher of [...this.watchers]) {
      if (this.watchers.has(watcher) && this.room === room) safely(() => call(watcher));
    }
  }

  private get isWhole(): boolean {
    return [...this.watchers].some(({ whole }) => whole);
  }

  private begin(): void {
    this.end();
    const Kind = this.isWhole ? TaskRoom : TaskSummaryRoom;
    this.room = new Kind(this.taskId, this.api, this.rooms, this);
    this.rooms.add(this.room);
  }

  private end(): void {
    if (this.room) this.rooms.remove(this.room);
    this.room = null;
  }
}
