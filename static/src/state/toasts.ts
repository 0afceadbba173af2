import { signal } from "@preact/signals";
import type { Notification } from "../client/types";

const MOST = 3;
const SECONDS = 6;
/** An older event is not news: it came with a reconnect. */
const NEW_SECONDS = 30;

/** `now`: by the server's clock, in milliseconds. */
export const isNew = (timestamp: string, now: number): boolean => now - Date.parse(timestamp) < NEW_SECONDS * 1_000;

/** Whether it is shown over the page. The bell has all. A warning of a run is its end: it has done nothing. */
export const interrupts = ({ urgent, severity, related_type }: Notification): boolean =>
  urgent || severity === "success" || severity === "error" || (severity === "warning" && related_type === "task");

/** At most three notifications at once, in a corner. Urgent ones stay until closed. */
export class Toasts {
  readonly shown = signal<readonly Notification[]>([]);

  /** Urgent ones that found no space. */
  private waiting: Notification[] = [];
  private readonly left = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private since: number | null = null;
  private readonly held = new Set<string>();

  add(notification: Notification): void {
    const shown = this.shown.value;
    if ([...shown, ...this.waiting].some(({ id }) => id === notification.id)) return;
    if (shown.length === MOST) {
      const passing = shown.find(({ urgent }) => !urgent);
      if (passing) return this.replace(passing, notification);
      if (notification.urgent) this.waiting.push(notification);
      return;
    }
    this.show([...shown, notification]);
  }

  /** Removes toasts that were closed, or read elsewhere. */
  remove(gone: (notification: Notification) => boolean): void {
    this.waiting = this.waiting.filter((notification) => !gone(notification));
    const kept = this.shown.value.filter((notification) => !gone(notification));
    const next = [...kept, ...this.waiting.splice(0, MOST - kept.length)];
    // An element that is removed under the pointer or the focus sends no event of leaving.
    if (!next.length) this.held.clear();
    this.show(next);
  }

  /** Stops the clock while the user reads. There may be several reasons at once; `release` takes one back. */
  hold(why: string): void {
    this.stopClock();
    this.held.add(why);
  }

  release(why: string): void {
    this.held.delete(why);
    this.startClock();
  }

  private replace(old: Notification, notification: Notification): void {
    this.show([...this.shown.value.filter((other) => other !== old), notification]);
  }

  private show(notifications: readonly Notification[]): void {
    this.stopClock();
    for (const id of [...this.left.keys()]) {
      if (!notifications.some((notification) => notification.id === id)) this.left.delete(id);
    }
    for (const { id, urgent } of notifications) {
      if (!urgent && !this.left.has(id)) this.left.set(id, SECONDS * 1_000);
    }
    this.shown.value = notifications;
    this.startClock();
  }

  private stopClock(): void {
    clearTimeout(this.timer);
    if (this.since === null) return;
    const passed = Date.now() - this.since;
    for (const [id, left] of this.left) this.left.set(id, left - passed);
    this.since = null;
  }

  private startClock(): void {
    if (this.held.size || this.since !== null || !this.left.size) return;
    this.since = Date.now();
    this.timer = setTimeout(() => {
      this.stopClock();
      this.remove(({ id }) => (this.left.get(id) ?? Infinity) <= 0);
    }, Math.min(...this.left.values()));
  }
}
