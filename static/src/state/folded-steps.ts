import type { Task, TaskEvent } from "../client/types";

/** Steps that are remembered: more do not run at a time for one reader. */
const MOST = 5_000;

/** Tells events of steps, which a list without steps does not count, from those of runs: `status_changed` does not say. */
export class FoldedSteps {
  private readonly steps = new Set<string>();
  private readonly runs = new Set<string>();

  /** `task`: what the list has of it. */
  of(event: TaskEvent, task: Task | undefined): "run" | "step" | "unknown" {
    const id = event.task_id as string;
    const made = event.type === "task_created";
    const parent = made ? event.parent_id : task?.parent_id;
    if (made || task) this.remember(parent ? this.steps : this.runs, id);
    return this.steps.has(id) ? "step" : this.runs.has(id) ? "run" : "unknown";
  }

  private remember(among: Set<string>, id: string): void {
    among.add(id);
    for (const first of among) if (among.size > MOST) among.delete(first);
  }
}
