import type { Rooms, Watched } from "./rooms";
import type { TaskEvent } from "./types";

/** What a room of the user's reports. */
export interface UserRoomEvents {
  event(event: TaskEvent): void;
  /** It begins live: what was before does not come. */
  began(): void;
  /** Events before the present one will not come. */
  missed(): void;
  /** The room is joined, or never will be. */
  answered(): void;
  left(): void;
  /** A round of polling, or a check by REST. */
  poll(): void;
  /** The session is there; a wire may still be missing. */
  resumed(): void;
}

/** One stream of the user's, `user` or `broadcast`, from where it was left across every break. */
export class UserRoom implements Watched {
  readonly types = null;
  readonly ready = true;
  readonly rank = 1;
  /** Whether it is joined. */
  here = false;
  /** The last sequence that was handed on. */
  private last: number | null = null;
  /** Where to resume before the first event. */
  private from: number | null = null;
  private lastGap: number | null = null;

  constructor(
    readonly name: string,
    private readonly events: UserRoomEvents,
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
    if (this.cursor === null) this.events.began();
    this.from = from ?? head;
    this.events.answered();
  }

  left(): void {
    this.here = false;
    this.events.left();
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
      this.events.missed();
    }
    this.last = event.sequence;
    this.events.event(event);
  }

  /** The server goes on after what it cannot answer; what was before is in what is loaded now. */
  resync(): void {
    this.forget();
    this.events.missed();
  }

  ended(): void {
    // These streams have no end.
  }

  /** A user who may not join it has nothing to wait for. */
  refused(): void {
    this.here = true;
    this.events.answered();
  }

  resume(): void {
    this.events.resumed();
  }

  pause(): void {
    this.left();
  }

  async poll(): Promise<void> {
    // A round of polling asks both rooms; one refresh is enough.
    if (this.name === "user") this.events.poll();
  }
}
