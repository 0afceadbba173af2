import { batch, type Signal } from "@preact/signals";
import { isTerminal, type TaskEvent } from "../client/types";
import type { Connection, Watch } from "../client/watch";
import { Frames } from "./frames";
import { rowAfterEvent, type Row } from "./rows";

/** A connection carries a limited number of rooms; more unfinished runs than this do not fit on a screen. */
const MOST = 40;
/** Rows that pass while the reader scrolls are not worth a room. */
const STILL_MS = 150;

/** Keeps rows on the screen live until their end is known. Events are applied once a frame. */
export class LiveRows {
  private ids: readonly string[] = [];
  private readonly watches = new Map<string, Watch>();
  private queue: [string, TaskEvent][] = [];
  private readonly frames = new Frames(() => this.apply());
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `ended` is called when one of them has ended. */
  constructor(
    private readonly connection: Pick<Connection, "summary">,
    private readonly row: (id: string) => Signal<Row> | undefined,
    private readonly ended: (id: string) => void = () => undefined,
  ) {}

  visible(ids: readonly string[]): void {
    this.ids = ids;
    this.changed();
  }

  /** The rows have changed, and with them which ones have to be watched. */
  changed(): void {
    this.timer ??= setTimeout(() => this.watchVisible(), STILL_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.frames.cancel();
    this.queue = [];
    for (const watch of this.watches.values()) watch.stop();
    this.watches.clear();
  }

  private watchVisible(): void {
    this.timer = undefined;
    const wanted = new Set(this.ids.filter((id) => this.isOpen(id)).slice(0, MOST));
    for (const [id, watch] of this.watches) {
      if (wanted.has(id)) continue;
      watch.stop();
      this.watches.delete(id);
    }
    for (const id of wanted) {
      if (this.watches.has(id)) continue;
      const watch = this.connection.summary(id, (event) => {
        this.queue.push([id, event]);
        this.frames.request();
      });
      this.watches.set(id, watch);
    }
  }

  private isOpen(id: string): boolean {
    const row = this.row(id)?.value;
    return row !== undefined && !(isTerminal(row.task.status) && row.complete);
  }

  private apply(): void {
    const { queue } = this;
    this.queue = [];
    batch(() => {
      for (const [id, event] of queue) {
        const row = this.row(id);
        if (!row) continue;
        const open = this.isOpen(id);
        row.value = rowAfterEvent(row.value, event);
        if (!open || this.isOpen(id)) continue;
        this.changed();
        this.ended(id);
      }
    });
  }
}
