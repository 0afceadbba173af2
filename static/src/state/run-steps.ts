import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import { isTerminal, type Task } from "../client/types";
import { taskFilterOf, type RunFilter } from "./filter";
import type { Unfolded } from "./list-entries";

/** As many as a list shows below a run; the page of the run has all. */
const MOST = 100;
/** Of so many runs the steps are shown; the one that was unfolded first is folded again. */
const MOST_OPEN = 10;

interface Steps extends Unfolded {
  /** Why they are not known. */
  problem: Problem | null;
  /** There are more. */
  more: boolean;
}

const LOADING: Steps = { ids: [], note: true, problem: null, more: false };

/** The steps of the runs of a list that are unfolded, in the order in which they were made. */
export class RunSteps {
  readonly open = signal<ReadonlyMap<string, Steps>>(new Map());

  /** `put` keeps the row of a step. */
  constructor(
    private readonly api: Pick<Api, "tasks">,
    private readonly filter: RunFilter,
    private readonly put: (task: Task) => void,
  ) {}

  /** All steps that are shown. */
  get ids(): string[] {
    return [...this.open.value.values()].flatMap(({ ids }) => ids);
  }

  unfold(id: string, wanted: boolean): void {
    const open = new Map(this.open.value);
    open.delete(id);
    if (wanted) open.set(id, LOADING);
    for (const first of open.keys()) if (open.size > MOST_OPEN) open.delete(first);
    this.open.value = open;
    if (wanted) void this.load(id);
  }

  /** Loads those anew that may have changed. `task` finds a run of the list. */
  refresh(task: (id: string) => Task | undefined): void {
    for (const [id, { ids }] of this.open.value) {
      const steps = [task(id), ...ids.map(task)];
      if (steps.some((step) => step && !isTerminal(step.status))) void this.load(id);
    }
  }

  async load(id: string): Promise<void> {
    try {
      const { scope } = taskFilterOf(this.filter);
      const { tasks, next } = await this.api.tasks({ scope, parent_id: id }, MOST);
      tasks.forEach(this.put);
      const ids = tasks.map(({ task_id }) => task_id).reverse();
      this.set(id, { ids, note: next !== null, more: next !== null, problem: null });
    } catch (error) {
      const known = this.open.value.get(id);
      this.set(id, { ...(known ?? LOADING), note: true, problem: Problem.of(error) });
    }
  }

  private set(id: string, steps: Steps): void {
    if (this.open.value.has(id)) this.open.value = new Map(this.open.value).set(id, steps);
  }
}
