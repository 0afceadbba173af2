import { safely } from "./safely";

/** Callbacks without arguments, each called after a change. */
export class Listeners {
  private readonly callbacks = new Set<() => void>();

  /** Adds a callback; returns a function that removes it. */
  add(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  /** Calls those that are here now: a callback may add or remove others. */
  call(): void {
    for (const callback of [...this.callbacks]) safely(callback);
  }
}
