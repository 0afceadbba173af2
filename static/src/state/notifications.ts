import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/problem";
import type { Notification, TaskEvent } from "../client/types";
import { EMPTY, KEPT, reduce, type InboxFilter, type InboxEvent } from "./inbox";

/** How often the count is loaded, in seconds: events bring it sooner, and this finds what they may miss. */
const POLL_SECONDS = { live: 60, away: 30, failed: 10 };

type Calls = Pick<Api, "notifications" | "unreadCount" | "markRead">;

/** The notifications of the signed-in user: the list, the unread count, and what was read. */
export class Notifications {
  readonly inbox = signal(EMPTY);
  readonly filter = signal<InboxFilter>("all");
  readonly loading = signal(false);
  /** Why the list may be out of date; null when it is not. */
  readonly problem = signal<Problem | null>(null);

  private live = false;
  private open = false;
  private failed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private channel: BroadcastChannel | null = null;
  /** Rises with each start and stop, so that an answer for one user is never shown to the next. */
  private generation = 0;
  private readonly wake = (): void => {
    if (!document.hidden) void this.poll();
  };

  constructor(private readonly api: Calls) {}

  start(userId: string | number): void {
    this.stop();
    document.addEventListener("visibilitychange", this.wake);
    // Tabs without a stream tell each other what was read.
    this.channel = new BroadcastChannel(`taskroom.read.${userId}`);
    this.channel.onmessage = () => this.refresh();
    this.schedule();
  }

  stop(): void {
    this.generation++;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    this.channel?.close();
    this.channel = null;
    this.live = this.failed = false;
    this.inbox.value = EMPTY;
    this.problem.value = null;
    this.loading.value = false;
  }

  /** Whether events come live. */
  connected(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    this.schedule();
  }

  /** Takes one event of the user's stream or of `broadcast`. */
  take(event: TaskEvent): void {
    if (event.type === "notification") {
      this.apply({ kind: "notification", notification: event as unknown as Notification });
    } else if (event.type === "notifications_read") {
      const { ids, unread_count } = event as { ids?: string[]; unread_count?: unknown };
      this.apply({ kind: "read", sequence: event.sequence, ids: ids ?? "all", unread: Number(unread_count) });
    }
    // A list that is never opened must not grow.
    if (!this.open) this.apply({ kind: "closed" });
  }

  /** Loads the list again: events may have been missed. */
  refresh(): void {
    void this.load("all", null);
    if (this.filter.value === "unread") void this.load("unread", null);
  }

  show(filter: InboxFilter): void {
    this.open = true;
    this.filter.value = filter;
    if (this.inbox.value.older[filter] === undefined) void this.load(filter, null);
  }

  /** Adds the next older page. */
  async loadOlder(): Promise<void> {
    const cursor = this.inbox.value.older[this.filter.value];
    if (cursor && !this.loading.value) await this.load(this.filter.value, cursor);
  }

  close(): void {
    this.open = false;
    this.apply({ kind: "closed" });
  }

  /** Marks one as read; null: all. */
  async markRead(id: string | null): Promise<void> {
    const generation = this.generation;
    // What comes during the request is not read.
    const { items, asOf } = this.inbox.value;
    try {
      await this.api.markRead(id);
    } catch (error) {
      if (generation !== this.generation) return;
      // Another one has taken its place meanwhile.
      if (id !== null && Problem.of(error).status === 404) this.refresh();
      else this.finish(Problem.of(error));
      return;
    }
    if (generation !== this.generation) return;
    if (id === null) this.apply({ kind: "marked", ids: items.map((item) => item.id), upTo: asOf });
    else this.apply({ kind: "marked", ids: [id], upTo: 0 });
    // A live stream brings the new count to this tab and the others.
    if (this.live) return;
    this.refresh();
    this.channel?.postMessage(null);
  }

  private async load(filter: InboxFilter, cursor: string | null): Promise<void> {
    const generation = this.generation;
    const since = cursor === null ? this.inbox.value.asOf : null;
    this.loading.value = true;
    try {
      const page = await this.api.notifications({ unread: filter === "unread", cursor: cursor ?? undefined }, KEPT);
      if (generation !== this.generation) return;
      this.apply({ kind: "page", page, filter, since });
      this.finish(null);
    } catch (error) {
      if (generation === this.generation) this.finish(Problem.of(error));
    } finally {
      if (generation === this.generation) this.loading.value = false;
    }
  }

  /** Loads the count. It has no sequence to compare with events, so when it differs the page is loaded, which has one. */
  private async poll(): Promise<void> {
    const generation = this.generation;
    try {
      const unread = await this.api.unreadCount();
      if (generation !== this.generation) return;
      if (unread !== this.inbox.value.unread) await this.load("all", null);
      else this.finish(null);
    } catch (error) {
      if (generation === this.generation) this.finish(Problem.of(error));
    }
  }

  private finish(problem: Problem | null): void {
    this.problem.value = problem;
    this.failed = problem !== null && !problem.isRefusal;
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const seconds = this.failed ? POLL_SECONDS.failed : this.live ? POLL_SECONDS.live : POLL_SECONDS.away;
    // A hidden page loads the count when it is shown.
    this.timer = setTimeout(() => (document.hidden ? undefined : void this.poll()), seconds * 1_000);
  }

  private apply(event: InboxEvent): void {
    this.inbox.value = reduce(this.inbox.value, event);
  }
}
