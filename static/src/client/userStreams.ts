import type { Rooms } from "./rooms";
import { safely } from "./safely";
import type { TaskEvent } from "./types";
import { UserRoom, type UserRoomEvents } from "./userRoom";
import type { UserSink, Watch } from "./watch";

/** Without a wire a watcher waits no longer than this before it loads what it shows. */
const PATIENCE_MS = 500;

/** The user's own stream and `broadcast`, for all watchers of the page. */
export class UserStreams implements UserRoomEvents {
  private readonly sinks = new Set<UserSink>();
  private readonly streams: readonly UserRoom[];
  /** Events may have been missed since the last refresh. */
  private stale = true;
  /** Each round of polling is a refresh, so none has to be waited for. */
  private polling = false;
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rooms: Rooms) {
    this.streams = ["user", "broadcast"].map((name) => new UserRoom(name, this, rooms));
  }

  watch(sink: UserSink): Watch {
    let begun = false;
    const added: UserSink = {
      refresh: () => {
        begun = true;
        sink.refresh();
      },
      // An event before the first refresh is in what that loads.
      event: (event) => begun && sink.event(event),
    };
    this.sinks.add(added);
    if (!this.stale) queueMicrotask(() => this.sinks.has(added) && added.refresh());
    // The rooms stay joined when the last watcher stops, because the next page watches them too.
    for (const stream of this.streams) this.rooms.add(stream);
    return { stop: () => void this.sinks.delete(added) };
  }

  get watched(): boolean {
    return this.sinks.size > 0;
  }

  /** Drops the cursors: the next user may be another one. */
  forget(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.stale = true;
    this.polling = false;
    for (const stream of this.streams) stream.forget();
  }

  event(event: TaskEvent): void {
    this.notify((sink) => sink.event(event));
  }

  missed(): void {
    this.stale = true;
    this.answered();
  }

  began(): void {
    this.stale = true;
  }

  left(): void {
    if (this.polling) this.stale = true;
    this.polling = false;
  }

  /** Refreshes once both streams are live, so that what happens during the load comes as an event. */
  answered(): void {
    if (!this.stale || !this.streams.every((stream) => stream.here)) return;
    this.stale = false;
    this.refresh();
  }

  poll(): void {
    this.polling = true;
    this.stale = false;
    this.refresh();
  }

  /** Refreshes soon, whether or not a wire has opened by then. */
  resumed(): void {
    if (this.stale && this.sinks.size) this.patience ??= setTimeout(() => this.refresh(), PATIENCE_MS);
  }

  private refresh(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.notify((sink) => sink.refresh());
  }

  /** Calls the present sinks. A callback may stop other watches, or begin some. */
  private notify(call: (sink: UserSink) => void): void {
    for (const sink of [...this.sinks]) if (this.sinks.has(sink)) safely(() => call(sink));
  }
}
