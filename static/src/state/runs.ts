import { batch, signal, type Signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { TaskPage } from "../client/taskLists";
import { Backoff } from "../client/backoff";
import { Problem } from "../client/problem";
import type { Status, Task, TaskEvent } from "../client/types";
import type { Connection, Watch } from "../client/watch";
import { changesApprovals, StatusTally } from "./counts";
import { folds, type RunFilter } from "./filter";
import { FoldedSteps } from "./folded-steps";
import { LiveRows } from "./live-rows";
import { Repeat } from "./repeat";
import { filledPage, type Older } from "./run-pages";
import { RunSteps } from "./run-steps";
import { isOlder, rowAfterPage, rowAfterStatusChange, rowOf, type Row } from "./rows";

const SOON_MS = 250; // events within this time cause one request
const APART_MS = 1_000;

/** The list of runs, newest first. The first page is loaded again when a run was started, older pages on request, and its
 * rows are live. New runs wait while `atTop` is false, so that the rows under the reader's eyes do not move. */
export class Runs {
  /** The ids in order; null until the first answer. */
  readonly order = signal<readonly string[] | null>(null);
  /** How many new runs wait. */
  readonly waiting = signal(0);
  /** Why the list may be out of date; null when it is not. */
  readonly problem = signal<Problem | null>(null);
  readonly older = signal<Older>({ kind: "idle" });
  readonly counts: StatusTally;
  readonly steps: RunSteps;
  /** The scroll position, for a reader who comes back from a run. */
  scrollPosition: unknown = null;

  private readonly rows = new Map<string, Signal<Row>>();
  private readonly liveRows: LiveRows;
  private readonly folded = new FoldedSteps();
  private readonly backoff = new Backoff();
  private watch: Watch | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** No event reports the runs of others. */
  private readonly others = new Repeat(
    async () => this.problem.value?.isRefusal || this.load(true),
    () => JSON.stringify([this.counts.value.value, this.order.value, this.waiting.value]),
  );
  private askedAt = 0;
  private loading = false;
  private again: { counts: boolean } | null = null; // a load that was wanted while another one was under way
  private countSoon = false;
  private atTop = true;
  private fresh: TaskPage | null = null;
  private next: string | null = null;
  private joins = true; // the older rows that are shown go on where the first page ends
  /** Count loads and replaced lists, so that late answers to earlier requests are dropped. */
  private generation = 0;
  private replaced = 0;

  constructor(
    private readonly api: Pick<Api, "tasks" | "counts">,
    private readonly connection: Pick<Connection, "user" | "summary">,
    readonly filter: RunFilter,
  ) {
    this.counts = new StatusTally(api, filter);
    this.steps = new RunSteps(api, filter, (task) => this.put(task));
    this.liveRows = new LiveRows(connection, (id) => this.rows.get(id));
  }

  start(): void {
    this.watch = this.connection.user({ refresh: () => this.refresh(), event: (event) => this.event(event) });
    if (this.filter.scope !== "mine") this.others.start();
  }

  /** Keeps what was loaded; `start` goes on from there. */
  stop(): void {
    this.watch?.stop();
    this.liveRows.stop();
    clearTimeout(this.timer);
    this.others.stop();
    this.timer = undefined;
    this.again = null;
    this.generation++;
  }

  row(id: string): Signal<Row> {
    const row = this.rows.get(id);
    if (!row) throw new Error(`${id} is not in the list`);
    return row;
  }

  statusOf(id: string): Status | undefined {
    return this.rows.get(id)?.value.task.status;
  }

  hasSteps(id: string): boolean {
    return folds(this.filter) && Boolean(this.row(id).value.task.tasks_below);
  }

  get hasOlder(): boolean {
    return this.next !== null;
  }

  /** Loads the first page anew, now. */
  refresh(): void {
    void this.load(true);
  }

  /** Watches the rows on the screen. */
  visible(ids: readonly string[]): void {
    this.liveRows.visible(ids);
  }

  /** Whether the reader is at the top, where new runs may be added. */
  top(atTop: boolean): void {
    this.atTop = atTop;
    if (atTop) this.takeIn();
  }

  /** Adds the new runs that wait, and removes those that no longer match the filter. */
  takeIn(): void {
    const page = this.fresh;
    if (!page) return;
    this.fresh = null;
    const ids = page.tasks.map(({ task_id }) => task_id);
    const last = page.tasks.at(-1);
    const order = this.order.value ?? [];
    const joins = this.joins && page.next !== null && last && order.some((id) => ids.includes(id));
    const rest = joins ? order.filter((id) => isOlder(this.row(id).value.task, last)) : [];
    this.joins = true;
    if (!joins) {
      this.next = page.next;
      this.replaced++;
      this.older.value = { kind: "idle" };
    }
    batch(() => {
      this.waiting.value = 0;
      this.show([...ids, ...rest]);
    });
  }

  /** Adds the next older page; `older` says how that goes. */
  async loadOlder(): Promise<void> {
    if (this.next === null || this.older.value.kind === "loading") return;
    this.older.value = { kind: "loading" };
    const { replaced } = this;
    try {
      const page = await filledPage(this.api, this.filter, this.next, () => replaced === this.replaced);
      if (replaced !== this.replaced) return;
      page.tasks.forEach((task) => this.put(task));
      const order = this.order.value ?? [];
      const known = new Set(order);
      this.next = page.next;
      batch(() => {
        this.older.value = { kind: "idle" };
        this.show([...order, ...page.tasks.map(({ task_id }) => task_id).filter((id) => !known.has(id))]);
      });
    } catch (error) {
      if (replaced !== this.replaced) return;
      const problem = Problem.of(error);
      if (!problem.isWrongCursor) this.older.value = { kind: "failed", problem };
      else {
        this.joins = false;
        this.refresh();
      }
    }
  }

  private event(event: TaskEvent): void {
    if (!String(event.stream).startsWith("user:")) return;
    const id = event.task_id as string;
    const row = this.rows.get(id);
    const of = folds(this.filter) ? this.folded.of(event, row?.value.task) : "run";
    if (of === "run") this.counts.event(event);
    if (event.type === "task_created") return this.loadSoon();
    if (event.type !== "status_changed") return;
    if (row) row.value = rowAfterStatusChange(row.value, event);
    this.liveRows.changed();
    const counts = of === "unknown" || !this.counts.exact || (of === "step" && changesApprovals(event));
    if (counts || of === "step" || this.filter.status === (event.status as Status)) this.loadSoon(counts);
  }

  private loadSoon(counts = !this.counts.exact): void {
    this.countSoon ||= counts;
    if (this.timer !== undefined) return;
    this.loadAfter(Math.max(SOON_MS, this.askedAt + APART_MS - Date.now()), false);
  }

  private loadAfter(delay: number, counts: boolean): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(counts), delay);
  }

  /** Loads one page at a time: on a slow server each load would be overtaken by the next, and none shown. */
  private async load(counts: boolean): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.loading) {
      this.again = { counts: counts || Boolean(this.again?.counts) };
      return;
    }
    counts ||= this.countSoon;
    this.countSoon = false;
    this.loading = true;
    this.steps.refresh((id) => this.rows.get(id)?.value.task);
    this.askedAt = Date.now();
    const generation = ++this.generation;
    try {
      const [page] = await Promise.all([
        filledPage(this.api, this.filter, null, () => generation === this.generation),
        counts || !this.counts.value.value ? this.counts.load() : undefined,
      ]);
      if (generation !== this.generation) return;
      this.backoff.reset();
      batch(() => {
        this.problem.value = null;
        this.showNew(page);
      });
    } catch (error) {
      if (generation !== this.generation) return;
      const problem = (this.problem.value = Problem.of(error));
      if (problem.passes) this.loadAfter(this.backoff.next(), true);
    } finally {
      this.loading = false;
      const { again } = this;
      this.again = null;
      if (again) this.loadAfter(SOON_MS, again.counts);
    }
  }

  private showNew(page: TaskPage): void {
    page.tasks.forEach((task) => this.put(task));
    const known = new Set(this.order.value);
    this.fresh = page;
    this.waiting.value = page.tasks.filter(({ task_id }) => !known.has(task_id)).length;
    if (this.order.value === null || this.atTop || !this.joins) this.takeIn();
  }

  private put(task: Task): void {
    const row = this.rows.get(task.task_id);
    if (row) row.value = rowAfterPage(row.value, task);
    else this.rows.set(task.task_id, signal(rowOf(task)));
  }

  private show(order: readonly string[]): void {
    const kept = new Set([...order, ...this.steps.ids, ...(this.fresh?.tasks ?? []).map(({ task_id }) => task_id)]);
    for (const id of this.rows.keys()) if (!kept.has(id)) this.rows.delete(id);
    const before = this.order.value;
    const same = before?.length === order.length && order.every((id, at) => id === before[at]);
    if (!same) this.order.value = order;
  }
}
