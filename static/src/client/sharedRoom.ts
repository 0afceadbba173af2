import type { Member } from "./member";
import type { Watched } from "./rooms";
import type { JoinRequest } from "./tabMessages";
import type { TaskEvent } from "./types";

/** A snapshot may be a little ahead of a stream. One that still is after this time is of a history that was lost. */
const AHEAD_MS = 10_000;

/** The join of the room by one tab. */
interface Join {
  readonly number: number;
  readonly rank: number;
  /** The tab has everything up to there; null: every event is new to it. */
  at: number | null;
  state: "new" | "waits" | "here";
}

/** One room of the stream that tabs share, with a cursor for each tab. */
export class SharedRoom implements Watched {
  readonly types = null;
  readonly ready = true;
  private readonly joins = new Map<Member, Join>();
  /** The last sequence of the open stream; null: the stream does not carry the room. */
  private at: number | null = null;
  private head = 0;

  /** `reopen`: opens the stream again from `cursor`, if it carries this room. */
  constructor(
    readonly name: string,
    private readonly reopen: (room: SharedRoom) => void,
  ) {}

  get empty(): boolean {
    return !this.joins.size;
  }

  get rank(): number {
    return Math.max(...[...this.joins.values()].map(({ rank }) => rank));
  }

  /** The cursor of the tab that has the least. Null, from now on, is enough for tabs that have nothing yet. */
  get cursor(): number | null {
    const known = [...this.joins.values()].map(({ at }) => at).filter((at) => at !== null);
    return known.length ? Math.min(...known) : null;
  }

  /** Everything after it will come; null: not known. While the stream is opened again for another room it begins at
   * `cursor`, which may be later than `at`. */
  private get after(): number | null {
    return this.at === null ? null : Math.max(this.at, this.cursor ?? this.at);
  }

  take(member: Member, { join: number, rank, cursor }: JoinRequest): void {
    const before = this.joins.get(member);
    if (before?.number === number) {
      // The tab has asked by REST meanwhile, and must not get again what it has.
      if (before.state !== "here") before.at = cursor;
      return;
    }
    const join: Join = { number, rank, at: cursor, state: "new" };
    const { after } = this;
    this.joins.set(member, join);
    if (after === null || (cursor !== null && cursor < after)) {
      this.at = null;
      this.reopen(this);
    } else this.begin(member, join, after);
  }

  leave(member: Member, join?: number): void {
    if (join === undefined || this.joins.get(member)?.number === join) this.joins.delete(member);
  }

  joined(head: number, from: number | null): void {
    this.at = from ?? head;
    this.head = head;
    for (const [member, join] of this.joins) {
      if (join.state !== "here" || join.at === null) this.begin(member, join, head);
      else if (join.at > head) this.checkLater(member, join);
    }
  }

  event(event: TaskEvent): void {
    this.at = event.sequence;
    this.head = Math.max(this.head, event.sequence);
    for (const [member, join] of this.joins) {
      if (join.state !== "here" || (join.at !== null && event.sequence <= join.at)) continue;
      join.at = event.sequence;
      member.notify(["event", join.number, event]);
    }
  }

  resync(): void {
    this.at = null;
    for (const [member, join] of this.joins) this.startAnew(member, join);
  }

  ended(): void {
    this.at = null;
    for (const [member, join] of this.joins) member.notify(["ended", join.number]);
  }

  refused(): void {
    // Each tab finds out by REST: `poll`.
  }

  left(): void {
    this.at = null;
    for (const join of this.joins.values()) join.state = "new";
    this.wait();
  }

  /** The stream cannot carry the room now. */
  wait(): void {
    for (const [member, join] of this.joins) {
      if (join.state !== "new") continue;
      join.state = "waits";
      member.notify(["waits", join.number]);
    }
  }

  async poll(): Promise<void> {
    await Promise.all([...this.joins].map(([member, { number }]) => member.poll(number)));
  }

  resume(): void {
    // It begins when it is joined.
  }

  pause(): void {
    // It sends no requests of its own.
  }

  /** `from`: where a tab begins that has nothing yet. */
  private begin(member: Member, join: Join, from: number): void {
    join.at ??= from;
    join.state = "here";
    member.notify(["joined", join.number, Math.max(this.head, join.at), join.at]);
    if (join.at > this.head) this.checkLater(member, join);
  }

  private checkLater(member: Member, join: Join): void {
    setTimeout(() => {
      const { at } = this;
      const ahead = at !== null && join.at !== null && join.at > at;
      if (ahead && this.joins.get(member) === join) this.startAnew(member, join);
    }, AHEAD_MS);
  }

  private startAnew(member: Member, join: Join): void {
    join.at = null;
    member.notify(["resync", join.number]);
  }
}
