import { signal } from "@preact/signals";

/** As many as one bulk action takes by their ids. */
export const MOST_SELECTED = 1_000;

/** The runs of the list that are selected: some by their ids, or all that match its filter. */
export class Selection {
  readonly ids = signal<ReadonlySet<string>>(new Set());
  /** Also those that match the filter and are not loaded. */
  readonly all = signal(false);
  /** Whether the boxes are shown though none is selected: a finger cannot point at a row without opening it. */
  readonly choosing = signal(false);
  /** The one that was selected last, from which a range begins. */
  private anchor: string | null = null;

  toggle(id: string): void {
    const ids = new Set(this.ids.value);
    if (!ids.delete(id)) ids.add(id);
    this.set(ids);
    this.anchor = id;
  }

  /** Selects all from the last one that was selected to this one, in the order of the list. */
  extend(id: string, order: readonly string[]): void {
    const [begin, end] = [order.indexOf(this.anchor ?? id), order.indexOf(id)];
    if (begin < 0 || end < 0) return this.toggle(id);
    this.set(new Set([...this.ids.value, ...order.slice(Math.min(begin, end), Math.max(begin, end) + 1)]));
  }

  /** Selects all that match the filter; `loaded` are those that are shown as selected. */
  selectAll(loaded: readonly string[]): void {
    this.ids.value = new Set(loaded);
    this.all.value = true;
  }

  clear(): void {
    this.anchor = null;
    this.choosing.value = false;
    this.set(new Set());
  }

  private set(ids: ReadonlySet<string>): void {
    this.ids.value = ids.size > MOST_SELECTED ? new Set([...ids].slice(0, MOST_SELECTED)) : ids;
    this.all.value = false;
  }
}

/** Of the list that is shown. */
export const selection = new Selection();
