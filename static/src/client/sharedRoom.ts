import type { Place } from "./letters";
import type { Member } from "./member";
import type { Watched } from "./rooms";
import type { TaskEvent } from "./types";

/** A snapshot may be a little ahead of a stream; one that still is after this is of a history that was lost. */
const AHEAD_MS = 10_000;

interface Seat {
  readonly number: number;
  readonly rank: number;
  /** It has everything up to there; null: whatever comes next is new to it. */
  at: number | null;
  state: "new" | "waits" | "here";
}

/** One room of the stream that tabs share, with each tab's own cursor. */
export class SharedRoom implements Watched {
  readonly types = null;
  readonly ready = true;
  private readonly seats = new Map<Member, Seat>();
  /** Where the open stream stands; null: it is not open here. */
  private at: number | null = null;
  private head = 0;

  /** `reopen`: from `cursor`, if the stream carries this room. */
  constructor(
    readonly name: string,
    private readonly reopen: (room: SharedRoom) => void,
  ) {}

  get empty(): boolean {
    return !this.seats.size;
  }

  get rank(): number {
    return Math.max(...[...this.seats.values()].map(({ rank }) => rank));
  }

  /** From the one who has the least; a stream that is live only is enough for those who have nothing yet. */
  get cursor(): number | null {
    const known = [...this.seats.values()].map(({ at }) => at).filter((at) => at !== null);
    return known.length ? Math.min(...known) : null;
  }

  /** Everything after it will come, also when the stream is being opened again for the sake of another room: at the
   * cursor of the one who has the least, which may be further on. Null: nobody knows. */
  private get after(): number | null {
    return this.at === null ? null : Math.max(this.at, this.cursor ?? this.at);
  }

  take(member: Member, { seat: number, rank, cursor }: Place): void {
    const before = this.seats.get(member);
    if (before?.number === number) {
      // It asked by REST meanwhile, and would hear again what it has.
      if (before.state !== "here") before.at = cursor;
      return;
    }
    const seat: Seat = { number, rank, at: cursor, state: "new" };
    const { after } = this;
    this.seats.set(member, seat);
    if (after === null || (cursor !== null && cursor < after)) {
      this.at = null;
      this.reopen(this);
    } else this.begin(member, seat, after);
  }

  leave(member: Member, seat?: number): void {
    if (seat === undefined || this.seats.get(member)?.number === seat) this.seats.delete(member);
  }

  joined(head: number, from: number | null): void {
    this.at = from ?? head;
    this.head = head;
    for (const [member, seat] of this.seats) {
      if (seat.state !== "here" || seat.at === null) this.begin(member, seat, head);
      else if (seat.at > head) this.doubt(member, seat);
    }
  }

  event(event: TaskEvent): void {
    this.at = event.sequence;
    this.head = Math.max(this.head, event.sequence);
    for (const [member, seat] of this.seats) {
      if (seat.state !== "here" || (seat.at !== null && event.sequence <= seat.at)) continue;
      seat.at = event.sequence;
      member.say(["event", seat.number, event]);
    }
  }

  resync(): void {
    this.at = null;
    for (const [member, seat] of this.seats) this.again(member, seat);
  }

  ended(): void {
    this.at = null;
    for (const [member, seat] of this.seats) member.say(["ended", seat.number]);
  }

  refused(): void {
    // Each tab finds out by REST: `poll`.
  }

  left(): void {
    this.at = null;
    for (const seat of this.seats.values()) seat.state = "new";
    this.wait();
  }

  /** The stream has no place for it now. */
  wait(): void {
    for (const [member, seat] of this.seats) {
      if (seat.state !== "new") continue;
      seat.state = "waits";
      member.say(["waits", seat.number]);
    }
  }

  async poll(): Promise<void> {
    await Promise.all([...this.seats].map(([member, { number }]) => member.poll(number)));
  }

  resume(): void {
    // It begins when it is joined.
  }

  pause(): void {
    // It asks for nothing by itself.
  }

  /** `from`: where it begins when it has nothing yet. */
  private begin(member: Member, seat: Seat, from: number): void {
    seat.at ??= from;
    seat.state = "here";
    member.say(["joined", seat.number, Math.max(this.head, seat.at), seat.at]);
    if (seat.at > this.head) this.doubt(member, seat);
  }

  private doubt(member: Member, seat: Seat): void {
    setTimeout(() => {
      const { at } = this;
      if (this.seats.get(member) === seat && at !== null && seat.at !== null && seat.at > at) this.again(member, seat);
    }, AHEAD_MS);
  }

  private again(member: Member, seat: Seat): void {
    seat.at = null;
    member.say(["resync", seat.number]);
  }
}
