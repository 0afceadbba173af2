import type { Notice, Place, Request, Wish } from "./letters";
import { Member } from "./member";
import { Rooms } from "./rooms";
import { SharedRoom } from "./sharedRoom";
import type { Closed, OpenWire, Wire } from "./wire";

const BEAT_MS = 5_000;

/** Holds the one stream of a browser, of the rooms of all its tabs, and hands each tab what is new to it. Its own tab is
 * one of them, like any other. */
export class Leader {
  private readonly id = crypto.randomUUID();
  private readonly tabs: BroadcastChannel;
  private readonly wire: Wire;
  private readonly rooms = new Rooms();
  private readonly shared = new Map<string, SharedRoom>();
  private readonly members = new Map<string, Member>();
  private open = false;
  private over = false;
  private beaten = 0;

  /** `open` makes the stream, which is to tell of each sign of life; `closed`: it is over, and so is this. */
  constructor(
    private readonly name: string,
    open: (alive: () => void) => OpenWire,
    private readonly closed: (why: Closed) => void,
  ) {
    this.tabs = new BroadcastChannel(name);
    this.tabs.onmessage = ({ data }: MessageEvent<Request | Notice>) => {
      if ("wishes" in data) this.hear(data);
    };
    this.wire = open(() => this.alive())({
      opened: () => this.opened(),
      joined: () => undefined,
      closed: (why) => this.ended(why),
    });
    this.tell({ leads: this.id });
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.wire.close();
    for (const member of this.members.values()) member.end();
    this.tell({ left: this.id });
    this.tabs.close();
  }

  private hear({ tab, leader, wishes }: Request): void {
    if (leader !== null && leader !== this.id) return;
    for (const wish of wishes) this.grant(tab, wish);
    this.settle();
  }

  private grant(tab: string, wish: Wish): void {
    if (wish[0] === "hello") return this.greet(tab);
    const member = this.members.get(tab);
    if (!member) return;
    if (wish[0] === "place") this.place(member, wish[1]);
    else if (wish[0] === "leave") this.leave(member, wish[1]);
    else if (wish[0] === "took") member.took(wish[1]);
    else if (wish[0] === "polled") member.polled(wish[1]);
    else this.forget(tab);
  }

  private greet(tab: string): void {
    this.forget(tab);
    const member = new Member(this.name, tab, this.id);
    this.members.set(tab, member);
    if (this.open) member.say(["opened"]);
    else member.beat();
  }

  private place(member: Member, place: Place): void {
    const known = this.shared.get(place.name);
    const room = known ?? new SharedRoom(place.name, (one) => this.rooms.rejoin(one));
    room.take(member, place);
    if (known) return;
    this.shared.set(place.name, room);
    this.rooms.add(room);
  }

  private leave(member: Member, seat?: number): void {
    for (const room of [...this.shared.values()]) {
      room.leave(member, seat);
      if (!room.empty) continue;
      this.shared.delete(room.name);
      this.rooms.remove(room);
    }
  }

  private forget(tab: string): void {
    const member = this.members.get(tab);
    if (!member) return;
    this.members.delete(tab);
    this.leave(member);
    member.end();
  }

  private opened(): void {
    this.open = true;
    for (const member of this.members.values()) member.say(["opened"]);
    this.rooms.carry(this.wire);
    this.settle();
  }

  private settle(): void {
    this.rooms.settle();
    if (!this.open) return;
    for (const room of this.shared.values()) if (!this.rooms.carries(room)) room.wait();
  }

  /** By what comes from the server, for a browser lets the timers of a hidden page wait for a minute. */
  private alive(): void {
    for (const [tab, member] of [...this.members]) {
      if (!member.lost) continue;
      member.say(["dropped"]);
      this.forget(tab);
    }
    const now = Date.now();
    if (now - this.beaten < BEAT_MS) return;
    this.beaten = now;
    for (const member of this.members.values()) member.beat();
  }

  /** A token is each tab's own: another one may have a better. What else ends a stream is the same for all. */
  private ended(why: Closed): void {
    if (why !== "denied") for (const member of this.members.values()) member.say(["closed", why]);
    this.end();
    this.closed(why);
  }

  private tell(notice: Notice): void {
    this.tabs.postMessage(notice);
  }
}
