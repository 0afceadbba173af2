import { batch, computed, signal, type Signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Backoff } from "../client/backoff";
import type { Below } from "../client/observed";
import { Problem } from "../client/problem";
import type { AheadPart, TreePage, TreeTask } from "../client/tree";
import type { TaskEvent } from "../client/types";
import type { Connection, Watch } from "../client/watch";
import { LiveRows } from "./live-rows";
import { rowAfterPage, rowAfterStatusChange, rowOf, type Row } from "./rows";

const SOON_MS = 500;

/** One request for children of a task: those behind the cursor. */
interface Load {
  parent: string;
  cursor: string | null;
  /** Where the next children are. */
  next: string | null;
  /** The children of its parent that it brought, in order. */
  ids: readonly string[];
}

/** What only an outline shows of a task. */
export type About = Pick<TreeTask, "step" | "approval" | "waits" | "children" | "steps" | "ahead">;

/** A task of the tree. The row is live; the rest is as of the last page. */
export interface TreeNode {
  row: Signal<Row>;
  about: Signal<About>;
}

/**
 * All that is known of the tasks below a run. The first request brings several levels; more children come page by page.
 * What the user's own stream tells of makes the requests that brought it be sent again, a few at a time.
 */
export class Tree {
  readonly nodes = new Map<string, TreeNode>();
  readonly below = signal<Below | null>(null);
  /** What comes after the run. */
  readonly ahead = signal<readonly AheadPart[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  /** Whether an answer has come. */
  readonly loaded = signal(false);
  /** Counts the changes of which tasks there are. */
  private readonly version = signal(0);
  /** The children of the run itself, as far as they are known. */
  readonly tasks = computed(() => this.idsOf(this.rootId).flatMap((id) => this.nodes.get(id)?.row.value.task ?? []));
  private readonly loads = new Map<string, Load[]>();
  /** The first children of tasks further below, which came with those above. */
  private readonly previews = new Map<string, readonly string[]>();
  private readonly origin = new Map<string, Load>();
  private readonly asked = new Map<Load, number>();
  private readonly stale = new Set<Load>();
  private readonly user: Watch | undefined;
  private readonly live: LiveRows;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();
  private stopped = false;

  /** `connection` has no `user` where nobody is signed in. `failed`: of the children of the run only those that failed. */
  constructor(
    readonly rootId: string,
    private readonly api: Pick<Api, "tree">,
    private readonly connection: Pick<Connection, "summary"> & Partial<Pick<Connection, "user">>,
    private readonly failed = false,
  ) {
    this.loads.set(rootId, [{ parent: rootId, cursor: null, next: null, ids: [] }]);
    this.user = connection.user?.({ refresh: () => this.refresh(), event: (event) => this.event(event) });
    // Without the user's own stream this is what tells that others may have begun.
    const ended = (id: string): void => (this.user ? undefined : this.soon(this.origin.get(id)));
    this.live = new LiveRows(connection, (id) => this.nodes.get(id)?.row, ended);
  }

  /** Returns another one of the same run, with only those of its children that failed. */
  onlyFailed(): Tree {
    return new Tree(this.rootId, this.api, this.connection, true);
  }

  /** Loads the first page again, which has most of what is below. */
  load(): Promise<void> {
    return this.send(this.loads.get(this.rootId)![0]!);
  }

  /** Loads more children of a task. */
  async more(parent: string): Promise<void> {
    const pages = this.loads.get(parent) ?? [];
    const last = pages.at(-1);
    if (last && !last.next) return;
    await this.send({ parent, cursor: last?.next ?? null, next: null, ids: [] });
  }

  /** Returns the known children of a task, in order. */
  idsOf(parent: string): readonly string[] {
    void this.version.value;
    const pages = this.loads.get(parent);
    return pages?.[0]?.ids.length ? [...new Set(pages.flatMap(({ ids }) => ids))] : (this.previews.get(parent) ?? []);
  }

  /** Whether a task has more children than are known. */
  hasMore(parent: string): boolean {
    void this.version.value;
    const last = this.loads.get(parent)?.at(-1);
    if (last) return last.next !== null;
    return this.idsOf(parent).length < (this.nodes.get(parent)?.about.value.children.tasks ?? 0);
  }

  /** Returns the task of a step of the run by its phase there; null before it begins. */
  stepOf(phaseId: string): string | null {
    return this.idsOf(this.rootId).find((id) => this.isStep(id, phaseId)) ?? null;
  }

  /** These rows are drawn, in order: those of them that have not ended are live. */
  shown(ids: readonly string[]): void {
    this.live.visible(ids);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.user?.stop();
    this.live.stop();
  }

  private isStep(id: string, phaseId: string): boolean {
    const { row, about } = this.nodes.get(id)!;
    return phaseId === `${about.value.step}_${row.value.task.job_type}`;
  }

  /** Events may have been missed: what was asked for is asked for again. */
  private refresh(): void {
    if (this.asked.size === 0) return;
    for (const load of [...this.loads.values()].flat()) this.soon(load);
  }

  private event(event: TaskEvent): void {
    const { type, task_id, parent_id, status } = event;
    if (type === "task_created" && typeof parent_id === "string") {
      const load = this.loads.get(parent_id)?.at(-1) ?? this.origin.get(parent_id);
      if (load && !this.nodes.has(task_id as string)) this.soon(load);
    }
    if (type !== "status_changed") return;
    const node = this.nodes.get(task_id as string);
    if (node) {
      node.row.value = rowAfterStatusChange(node.row.value, event);
      this.soon(this.origin.get(task_id as string));
    }
    // It may be further below than is shown.
    if (node || status === "FAILURE") this.soon(this.loads.get(this.rootId)![0]);
  }

  private soon(load: Load | undefined): void {
    if (!load) return;
    this.stale.add(load);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const stale = [...this.stale];
      this.stale.clear();
      for (const each of stale) void this.send(each);
    }, SOON_MS);
  }

  private async send(load: Load): Promise<void> {
    const number = (this.asked.get(load) ?? 0) + 1;
    this.asked.set(load, number);
    const isLatest = (): boolean => !this.stopped && this.asked.get(load) === number;
    try {
      const page = await this.api.tree(load.parent, load.cursor ?? undefined, this.failed && load.parent === this.rootId);
      if (isLatest()) batch(() => this.take(load, page));
    } catch (error) {
      if (!isLatest()) return;
      if (load.cursor !== null && Problem.of(error).isWrongCursor) return this.anew(load.parent);
      const problem = (this.problem.value = Problem.of(error));
      if (problem.passes) this.retry ??= setTimeout(() => this.again(), this.backoff.next());
    }
  }

  /** Loads the children of a task from their beginning. */
  private anew(parent: string): Promise<void> {
    const first = this.loads.get(parent)?.find(({ cursor }) => cursor === null) ?? { parent, cursor: null, next: null, ids: [] };
    this.loads.set(parent, [first]);
    return this.send(first);
  }

  /** Asks again after a problem; for more children the reader asks. */
  private again(): void {
    this.retry = undefined;
    this.refresh();
  }

  private take(load: Load, { tasks, next, below, ahead }: TreePage): void {
    const pages = this.loads.get(load.parent) ?? [];
    if (!pages.includes(load)) this.loads.set(load.parent, [...pages, load]);
    const lists = new Map<string, string[]>([[load.parent, []]]);
    for (const task of tasks) {
      const { task_id, parent_id, step, approval, waits = [], children, steps, ahead } = task;
      if (task_id === this.rootId || !parent_id) continue;
      const about = { step, approval, waits, children, steps, ahead };
      const node = this.nodes.get(task_id);
      if (node) {
        node.row.value = rowAfterPage(node.row.value, task);
        node.about.value = about;
      } else this.nodes.set(task_id, { row: signal(rowOf(task)), about: signal(about) });
      this.origin.set(task_id, load);
      lists.set(parent_id, [...(lists.get(parent_id) ?? []), task_id]);
    }
    for (const [parent, ids] of lists) if (parent !== load.parent) this.previews.set(parent, ids);
    load.ids = lists.get(load.parent) ?? [];
    load.next = next;
    if (below && load.parent === this.rootId) {
      this.below.value = below;
      this.ahead.value = ahead ?? null;
    }
    this.loaded.value = true;
    this.problem.value = null;
    this.backoff.reset();
    this.version.value++;
    this.live.changed();
  }
}
