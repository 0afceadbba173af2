import type { Api } from "./api";
import type { Rooms } from "./rooms";
import { SharedTask, type Watcher } from "./sharedTask";
import { TaskSummary } from "./taskSummary";
import type { TaskEvent } from "./types";
import type { TaskSink, TaskWatch, Watch } from "./watch";

/** The tasks that are watched: one room each, however many watch. */
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
        return task.watchProgress;
      },
    };
  }

  watchSummary(taskId: string, onEvent: (event: TaskEvent) => void): Watch {
    const task = this.of(taskId);
    const watcher = task.add(new TaskSummary(onEvent), false);
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
