import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import { isTerminal, type Task } from "../client/types";
import type { Connection, Watch } from "../client/watch";
import { fold, NOTHING } from "../client/fold";

/** Of those that run at the same time: one connection joins only so many rooms. */
const MOST_WATCHED = 24;

/** The tasks that a task is made of, oldest first; those that run are kept up to date by their own streams. */
export class Children {
  readonly tasks = signal<readonly Task[]>([]);
  readonly problem = signal<Problem | null>(null);
  private readonly watches = new Map<string, Watch>();
  private asked = 0;

  constructor(
    private readonly parentId: string,
    private readonly api: Api,
    private readonly connection: Connection,
  ) {}

  /** Asks for all of them again: one more began, or one ended. */
  async load(scope: "own" | "tenant"): Promise<void> {
    const asked = ++this.asked;
    try {
      const { tasks } = await this.api.children(this.parentId, scope);
      if (asked !== this.asked) return;
      this.tasks.value = tasks.reverse();
      this.problem.value = null;
      this.watch();
    } catch (error) {
      if (asked === this.asked) this.problem.value = Problem.of(error);
    }
  }

  stop(): void {
    this.asked++;
    for (const watch of this.watches.values()) watch.stop();
    this.watches.clear();
  }

  private watch(): void {
    const running = this.tasks.value.filter(({ status }) => status === "STARTED" || status === "RETRY");
    for (const { task_id } of running) {
      if (this.watches.has(task_id) || this.watches.size >= MOST_WATCHED) continue;
      const heard = (event: { type: string; sequence: number }): void =>
        this.replace(task_id, (task) => fold({ ...NOTHING, task }, event).task);
      this.watches.set(task_id, this.connection.standing(task_id, heard));
    }
  }

  private replace(taskId: string, change: (task: Task) => Task): void {
    this.tasks.value = this.tasks.value.map((task) => (task.task_id === taskId ? change(task) : task));
    if (!this.tasks.value.some((task) => task.task_id === taskId && isTerminal(task.status))) return;
    this.watches.get(taskId)?.stop();
    this.watches.delete(taskId);
  }
}
