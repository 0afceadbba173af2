import { vi } from "vitest";
import { sharedWire } from "../sharedWire";
import type { TaskEvent } from "../types";
import type { Closed, Room, Wire } from "../wire";
import type { Feed } from "./feed";
import { FakeAccess } from "./page";
import type { Browser } from "./tabs";

/** A room that notes what it hears, and each event that is not the next one. */
export class RecordingRoom implements Room {
  readonly types = null;
  readonly faults: string[] = [];
  readonly seen: number[] = [];
  here = false;
  polls = 0;
  resyncs = 0;
  ends = 0;

  constructor(
    readonly name: string,
    public cursor: number | null,
    private readonly feed: Feed,
    readonly rank = 1,
  ) {}

  joined(_head: number, from: number | null): void {
    this.here = true;
    this.cursor ??= from;
  }
  event({ sequence }: TaskEvent): void {
    if (this.cursor !== null && sequence !== this.cursor + 1) this.faults.push(`${sequence} after ${this.cursor}`);
    this.cursor = sequence;
    this.seen.push(sequence);
  }
  resync(): void {
    this.resyncs++;
    this.cursor = null;
  }
  ended(): void {
    this.ends++;
  }
  refused(): void {
    throw new Error("no stream refuses a single room");
  }
  left(): void {
    this.here = false;
  }
  async poll(): Promise<void> {
    this.polls++;
    this.cursor = this.feed.heads.get(this.name) ?? 0;
  }
}

/** One tab with its wire and what the wire said. */
export class Tab {
  readonly access = new FakeAccess();
  /** What the browser tells this page of: `freeze`, `pagehide` and their ends. */
  readonly page = new EventTarget();
  readonly closed: Closed[] = [];
  readonly rooms: RecordingRoom[] = [];
  opened = 0;
  wire!: Wire;

  constructor(
    readonly name: string,
    private readonly browser: Browser,
    private readonly feed: Feed,
    who: string | null = "1",
  ) {
    this.access.who = who;
    this.open();
  }

  /** Anew, with the rooms that it has. */
  open(): void {
    vi.stubGlobal("window", this.page);
    vi.stubGlobal("document", this.page);
    this.wire = this.browser.as(this.name, () =>
      sharedWire(this.access)({
        opened: () => {
          this.opened++;
          for (const room of this.rooms) this.wire.join(room);
        },
        joined: () => undefined,
        closed: (why) => this.closed.push(why),
      }),
    );
  }

  watch(name: string, cursor: number | null = null, rank = 1): RecordingRoom {
    const room = new RecordingRoom(name, cursor, this.feed, rank);
    this.rooms.push(room);
    if (this.opened) this.wire.join(room);
    return room;
  }

  unwatch(room: RecordingRoom): void {
    this.rooms.splice(this.rooms.indexOf(room), 1);
    this.wire.leave(room);
  }

  dispatch(change: string): void {
    this.browser.as(this.name, () => this.page.dispatchEvent(new Event(change)));
  }
}
