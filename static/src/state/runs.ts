import { signal } from "@preact/signals";
import type { Api, TaskFilter } from "../client/api";
import { Problem } from "../client/http";
import type { JobType, Task, TaskState } from "../client/types";

/** The list of runs: the newest page kept fresh by asking, older pages as they were when asked for. */
export class Runs {
  static readonly POLL_SECONDS = 5;

  readonly tasks = signal<Task[] | null>(null);
  readonly active = signal<TaskState | null>(null);
  readonly types = signal<JobType[] | null>(null);
  readonly next = signal<string | null>(null);
  /** Why the list may be out of date; null when it is not. */
  readonly problem = signal<Problem | null>(null);

  private paged = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private readonly wake = (): void => {
    if (!document.hidden) void this.poll();
  };

  constructor(
    private readonly api: Api,
    private readonly filter: TaskFilter,
  ) {
    document.addEventListener("visibilitychange", this.wake);
    void this.poll();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
  }

  /** Adds the next older page. Throws Problem. */
  async loadOlder(): Promise<void> {
    const cursor = this.next.value;
    if (!cursor) return;
    const page = await this.api.tasks({ ...this.filter, cursor });
    this.paged = true;
    this.next.value = page.next;
    this.tasks.value = unique([...(this.tasks.value ?? []), ...page.tasks]);
  }

  private async poll(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const [page, active, types] = await Promise.all([
        this.api.tasks(this.filter),
        this.api.active(),
        this.types.value ?? this.api.jobTypes(),
      ]);
      if (this.stopped) return;
      if (!this.paged) this.next.value = page.next;
      // Runs that newer ones pushed off the first page since stay in the list behind it.
      this.tasks.value = unique([...page.tasks, ...(this.paged ? (this.tasks.value ?? []) : [])]);
      this.active.value = active;
      this.types.value = types;
      this.problem.value = null;
    } catch (error) {
      if (this.stopped) return;
      this.problem.value = Problem.of(error);
    }
    // A hidden list is read by nobody; it asks again when it is shown.
    if (!document.hidden) this.timer = setTimeout(() => void this.poll(), Runs.POLL_SECONDS * 1_000);
  }
}

/** The first of each task: the one that was asked for last. */
function unique(tasks: Task[]): Task[] {
  const seen = new Set<string>();
  return tasks.filter(({ task_id }) => !seen.has(task_id) && seen.add(task_id));
}
