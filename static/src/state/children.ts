import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { fold, NOTHING } from "../client/fold";
import type { Below } from "../client/observed";
import { Problem } from "../client/problem";
import { isTerminal, type Task, type TaskEvent } from "../client/types";
import type { Connection, Watch } from "../client/watch";

/** How many running children are live: a connection joins a limited number of rooms. */
const MOST_WATCHED = 24;
const SOON_MS = 500;

type Scope = "own" | "tenant";

/**
 * The children of a task, oldest first, and what is below them. The running ones are kept up to date by their own
 * streams; a failure below them comes by the user's own stream, which has the tasks of the user only.
 */
export class ChildTasks {
  readonly tasks = signal<readonly Task[]>([]);
  readonly below = signal<Below | null>(null);
  readonly problem = signal<Problem | null>(null);
  /** Whether an answer has come. */
  readonly loaded = signal(false);
  private readonly watches = new Map<string, Watch>();
  private readonly user: Watch;
  private requests = 0;
  private scope: Scope = "own";
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `most`: how many of them are watched. With none, failures further below are not waited for either. */
  constructor(
    private readonly parentId: string,
    private readonly api: Pick<Api, "children">,
    private readonly connection: Pick<Connection, "summary" | "user">,
    private readonly most = MOST_WATCHED,
  ) {
    this.user = connection.user({ refresh: () => undefined, event: (event) => this.event(event) });
  }

  /** Loads them again: one has begun or ended. */
  async load(scope: Scope): Promise<void> {
    const request = ++this.requests;
    this.scope = scope;
    try {
      const { tasks, below } = await this.api.children(this.parentId, scope);
      if (request !== this.requests) return;
      this.below.value = below ?? null;
      this.loaded.value = true;
      this.tasks.value = tasks.reverse();
      this.problem.value = null;
      this.watch();
    } catch (error) {
      if (request === this.requests) this.problem.value = Problem.of(error);
    }
  }

  stop(): void {
    this.requests++;
    clearTimeout(this.timer);
    this.user.stop();
    for (const watch of this.watches.values()) watch.stop();
    this.watches.clear();
  }

  private event({ type, task_id, parent_id, status }: TaskEvent): void {
    const known = this.tasks.value.find((task) => task.task_id === task_id);
    const made = type === "task_created" && parent_id === this.parentId && !known;
    const changed = type === "status_changed" && known && known.status !== status && !this.watches.has(known.task_id);
    const failed = type === "status_changed" && status === "FAILURE" && this.most > 0;
    if (!made && !changed && !failed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load(this.scope);
    }, SOON_MS);
  }

  private watch(): void {
    const running = this.tasks.value.filter(({ status }) => status === "STARTED" || status === "RETRY");
    for (const { task_id } of running) {
      if (this.watches.has(task_id) || this.watches.size >= this.most) continue;
      const onEvent = (event: TaskEvent): void =>
        this.replace(task_id, (task) => fold({ ...NOTHING, task }, event).task);
      this.watches.set(task_id, this.connection.summary(task_id, onEvent));
    }
  }

  private replace(taskId: string, change: (task: Task) => Task): void {
    this.tasks.value = this.tasks.value.map((task) => (task.task_id === taskId ? change(task) : task));
    if (!this.tasks.value.some((task) => task.task_id === taskId && isTerminal(task.status))) return;
    this.watches.get(taskId)?.stop();
    this.watches.delete(taskId);
  }
}
