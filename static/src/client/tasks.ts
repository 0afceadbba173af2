import type { Api } from "./api";
import type { Rooms } from "./rooms";
import { safely } from "./safely";
import { Standing, StandingRoom } from "./standing";
import { TaskRoom } from "./taskRoom";
import type { Snapshot, TaskEvent } from "./types";
import type { Progress, TaskSink, TaskWatch, Watch } from "./watch";

/** The tasks that are watched: one room each, whoever watches. */
export class Tasks {
  private readonly shared = new Map<string, SharedTask>();

  constructor(
    private readonly api: Api,
    private readonly rooms: Rooms,
  ) {}

  get watched(): boolean {
    return this.shared.size > 0;
  }

  watch(taskId: string, sink: TaskSink): TaskWatch {
    const task = this.of(taskId);
    const watcher = task.add(sink, true);
    return {
      stop: () => this.remove(task, watcher),
      get progress() {
        return task.standing;
      },
    };
  }

  standing(taskId: string, heard: (event: TaskEvent) => void): Watch {
    const task = this.of(taskId);
    const watcher = task.add(new Standing(heard), false);
    return { stop: () => this.remove(task, watcher) };
  }

  private of(taskId: string): SharedTask {
    const task = this.shared.get(taskId) ?? new SharedTask(taskId, this.api, this.rooms);
    this.shared.set(taskId, task);
    return task;
  }

  private remove(task: SharedTask, watcher: Watcher): void {
    if (task.remove(watcher) && this.shared.get(task.taskId) === task) this.shared.delete(task.taskId);
  }
}

interface Watcher {
  readonly sink: TaskSink;
  /** It has a state that events can follow. */
  begun: boolean;
  /** All of it, and not only where the task stands. */
  readonly whole: boolean;
}

/** All who watch one task. Who comes later makes it begin again for everybody, with one snapshot. */
class SharedTask implements TaskSink {
  private readonly watchers = new Set<Watcher>();
  private room: TaskRoom | StandingRoom | null = null;

  constructor(
    readonly taskId: string,
    private readonly api: Api,
    private readonly rooms: Rooms,
  ) {}

  get standing(): Progress {
    return this.room instanceof TaskRoom ? this.room.progress : { kind: "loading" };
  }

  add(sink: TaskSink, whole: boolean): Watcher {
    const watcher = { sink, whole, begun: false };
    this.watchers.add(watcher);
    this.begin();
    return watcher;
  }

  /** Whether nobody is left. */
  remove(watcher: Watcher): boolean {
    this.watchers.delete(watcher);
    if (!this.watchers.size) this.end();
    else if (!this.isWhole && this.room instanceof TaskRoom) this.begin();
    return !this.watchers.size;
  }

  snapshot(snapshot: Snapshot): void {
    this.tell((watcher) => {
      watcher.begun = true;
      watcher.sink.snapshot(snapshot);
    });
  }

  event(event: TaskEvent): void {
    this.tell(({ sink, whole, begun }) => {
      if (begun || !whole) sink.event(event);
    });
  }

  progress(): void {
    this.tell(({ sink }) => sink.progress());
  }

  /** Those who watch now: one of them may stop others, or make new ones that have yet to hear the state. */
  private tell(how: (watcher: Watcher) => void): void {
    const { room } = this;
    for (const watcher of [...this.watchers]) {
      if (this.watchers.has(watcher) && this.room === room) safely(() => how(watcher));
    }
  }

  private get isWhole(): boolean {
    return [...this.watchers].some(({ whole }) => whole);
  }

  private begin(): void {
    this.end();
    const Kind = this.isWhole ? TaskRoom : StandingRoom;
    this.room = new Kind(this.taskId, this.api, this.rooms, this);
    this.rooms.add(this.room);
  }

  private end(): void {
    if (this.room) this.rooms.remove(this.room);
    this.room = null;
  }
}
