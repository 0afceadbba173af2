import { signal, type Signal } from "@preact/signals";
import type { Api } from "../client/api";
import { isTerminal, type TaskEvent } from "../client/types";
import type { Connection, Watch } from "../client/watch";
import { changesApprovals } from "./counts";
import { LiveRows } from "./live-rows";
import { rowAfterStatusChange, rowOf, type Row } from "./rows";

const SOON_MS = 250;

/** The user's newest unfinished run, live. After its end it stays until there is another one. */
export class ActiveRun {
  readonly row = signal<Row | null>(null);
  private readonly liveRows: LiveRows;
  private readonly watch: Watch;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  /** `failed` gets the reason when the run could not be loaded. */
  constructor(
    private readonly api: Pick<Api, "active">,
    connection: Pick<Connection, "user" | "summary">,
    private readonly failed: (error: unknown) => void,
  ) {
    this.liveRows = new LiveRows(connection, (id) => this.current(id));
    this.watch = connection.user({ refresh: () => void this.load(), event: (event) => this.event(event) });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.watch.stop();
    this.liveRows.stop();
  }

  private current(id: unknown): Signal<Row> | undefined {
    return this.row.value?.task.task_id === id ? (this.row as Signal<Row>) : undefined;
  }

  private event(event: TaskEvent): void {
    const row = event.type === "status_changed" ? this.current(event.task_id) : undefined;
    if (row) row.value = rowAfterStatusChange(row.value, event);
    const ended = row && isTerminal(row.value.task.status);
    // Steps of another run belong to that run, which needs approval when one of them does.
    const asks = event.type === "status_changed" && !row && this.row.value && changesApprovals(event);
    if (ended || asks || (event.type === "task_created" && event.parent_id === null)) {
      this.timer ??= setTimeout(() => void this.load(), SOON_MS);
    }
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    try {
      const found = await this.api.active();
      if (this.stopped || !found) return;
      const { phases, sequence, waiting_below } = found;
      const task = { ...found.task, waiting_below };
      const known = this.current(task.task_id);
      if (!known || known.value.sequence < sequence) this.row.value = { ...rowOf(task), phases, sequence };
      else known.value = { ...known.value, task: { ...known.value.task, waiting_below } };
      this.liveRows.visible([task.task_id]);
    } catch (error) {
      if (!this.stopped) this.failed(error);
    }
  }
}
