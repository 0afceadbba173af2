import type { Rooms, Watched } from "./rooms";
import { safely } from "./safely";
import type { TaskEvent } from "./types";
import type { UserSink, Watch } from "./watch";

/** Who watches is not kept waiting for a wire any longer before it loads what it shows. */
const PATIENCE_MS = 500;

/** The caller's own stream and `broadcast`, for all who watch them. */
export class Own {
  private readonly sinks = new Set<UserSink>();
  private readonly streams: readonly OwnRoom[];
  /** Something may have been missed since the last refresh. */
  private stale = true;
  /** Each turn of polling is a refresh, and none has to be waited for. */
  private polling = false;
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rooms: Rooms) {
    this.streams = ["user", "broadcast"].map((name) => new OwnRoom(name, this, rooms));
  }

  watch(sink: UserSink): Watch {
    let begun = false;
    const one: UserSink = {
      refresh: () => {
        begun = true;
        sink.refresh();
      },
      // What comes before that is in what is loaded then.
      event: (event) => begun && sink.event(event),
    };
    this.sinks.add(one);
    if (!this.stale) queueMicrotask(() => this.sinks.has(one) && one.refresh());
    // They stay joined when nobody watches any more: the next page does.
    for (const stream of this.streams) this.rooms.add(stream);
    return { stop: () => void this.sinks.delete(one) };
  }

  get watched(): boolean {
    return this.sinks.size > 0;
  }

  /** Whoever comes next may be another user. */
  forget(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.stale = true;
    this.polling = false;
    for (const stream of this.streams) stream.forget();
  }

  event(event: TaskEvent): void {
    this.tell((sink) => sink.event(event));
  }

  missed(): void {
    this.stale = true;
    this.settled();
  }

  /** A stream that begins now: nothing tells what was before. */
  began(): void {
    this.stale = true;
  }

  left(): void {
    if (this.polling) this.stale = true;
    this.polling = false;
  }

  /** Live first, and only then loaded: what happens in between is then heard. */
  settled(): void {
    if (!this.stale || !this.streams.every((stream) => stream.here)) return;
    this.stale = false;
    this.refresh();
  }

  /** While nothing is heard of what happens. */
  poll(): void {
    this.polling = true;
    this.stale = false;
    this.refresh();
  }

  /** Whoever watches hears soon, whether or not a wire has opened. */
  wait(): void {
    if (this.stale && this.sinks.size) this.patience ??= setTimeout(() => this.refresh(), PATIENCE_MS);
  }

  private refresh(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.tell((sink) => sink.refresh());
  }

  /** Those who watch now: one of them may stop others, or make new ones. */
  private tell(how: (sink: UserSink) => void): void {
    for (const sink of [...this.sinks]) if (this.sinks.has(sink)) safely(() => how(sink));
  }
}

class OwnRoom implements Watched {
  readonly types = null;
  readonly ready = true;
  readonly rank = 1;
  here = false;
  /** The last sequence that was heard. */
  private last: number | null = null;
  /** Where to resume when nothing was heard yet. */
  private from: number | null = null;
  private lastGap: number | null = null;

  constructor(
    readonly name: string,
    private readonly own: Own,
    private readonly rooms: Rooms,
  ) {}

  get cursor(): number | null {
    return this.last ?? this.from;
  }

  forget(): void {
    this.last = this.from = null;
  }

  joined(head: number, from: number | null): void {
    this.here = true;
    if (this.cursor === null) this.own.began();
    this.from = from ?? head;
    this.own.settled();
  }

  left(): void {
    this.here = false;
    this.own.left();
  }

  /** The first one of all may have any sequence. */
  event(event: TaskEvent): void {
    const { last } = this;
    if (!this.here || (last !== null && event.sequence <= last)) return;
    if (last !== null && event.sequence > last + 1) {
      const again = this.lastGap === last;
      this.lastGap = last;
      if (!again) {
        this.here = false;
        return this.rooms.rejoin(this);
      }
      this.own.missed();
    }
    this.last = event.sequence;
    this.own.event(event);
  }

  /** The server goes on after what it cannot answer; what was before is in what is loaded now. */
  resync(): void {
    this.forget();
    this.own.missed();
  }

  ended(): void {
    // These streams have no end.
  }

  /** One who may not join has nothing to wait for. */
  refused(): void {
    this.here = true;
    this.own.settled();
  }

  resume(): void {
    this.own.wait();
  }

  pause(): void {
    this.left();
  }

  async poll(): Promise<void> {
    if (this.name === "user") this.own.poll();
  }
}
