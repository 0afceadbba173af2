import { Member } from "./member";
import { Rooms } from "./rooms";
import { SharedRoom } from "./sharedRoom";
import type { Command, JoinRequest, LeaderChange, TabMessage } from "./tabMessages";
import type { Closed, OpenWire, Wire } from "./wire";

const BEAT_MS = 5_000;

/** Holds the one stream of a browser, with the rooms of all its tabs, and sends each tab what is new to it. The tab in
 * which it runs is a member like any other. */
export class Leader {
  private readonly id = crypto.randomUUID();
  private readonly tabs: BroadcastChannel;
  private readonly wire: Wire;
  private readonly rooms = new Rooms();
  private readonly shared = new Map<string, SharedRoom>();
  private readonly members = new Map<string, Member>();
  private open = false;
  private over = false;
  private lastBeat = 0;

  /** `open` makes the stream, which calls `alive` whenever the server sends something; `closed`: the stream has ended, and
   * so has this leader. */
  constructor(
    private readonly name: string,
    open: (alive: () => void) => OpenWire,
    private readonly closed: (why: Closed) => void,
  ) {
    this.tabs = new BroadcastChannel(name);
    this.tabs.onmessage = ({ data }: MessageEvent<TabMessage | LeaderChange>) => {
      if ("commands" in data) this.received(data);
    };
    this.wire = open(() => this.alive())({
      opened: () => this.opened(),
      joined: () => undefined,
      closed: (why) => this.ended(why),
    });
    this.announce({ leads: this.id });
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.wire.close();
    for (const member of this.members.values()) member.end();
    this.announce({ left: this.id });
    this.tabs.close();
  }

  private received({ tab, leader, commands }: TabMessage): void {
    if (leader !== null && leader !== this.id) return;
    for (const command of commands) this.obey(tab, command);
    this.assign();
  }

  private obey(tab: string, command: Command): void {
    if (command[0] === "hello") return this.welcome(tab);
    const member = this.members.get(tab);
    if (!member) return;
    if (command[0] === "join") this.join(member, command[1]);
    else if (command[0] === "leave") this.leave(member, command[1]);
    else if (command[0] === "handled") member.handled(command[1]);
    else if (command[0] === "polled") member.polled(command[1]);
    else this.forget(tab);
  }

  private welcome(tab: string): void {
    this.forget(tab);
    const member = new Member(this.name, tab, this.id);
    this.members.set(tab, member);
    if (this.open) member.notify(["opened"]);
    else member.beat();
  }

  private join(member: Member, request: JoinRequest): void {
    const known = this.shared.get(request.name);
    const room = known ?? new SharedRoom(request.name, (shared) => this.rooms.rejoin(shared));
    room.take(member, request);
    if (known) return;
    this.shared.set(request.name, room);
    this.rooms.add(room);
  }

  private leave(member: Member, join?: number): void {
    for (const room of [...this.shared.values()]) {
      room.leave(member, join);
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
    for (const member of this.members.values()) member.notify(["opened"]);
    this.rooms.carry(this.wire);
    this.assign();
  }

  private assign(): void {
    this.rooms.assign();
    if (!this.open) return;
    for (const room of this.shared.values()) if (!this.rooms.carries(room)) room.wait();
  }

  /** Runs by what the server sends and not by a timer, because browsers delay the timers of a hidden page by a minute. */
  private alive(): void {
    for (const [tab, member] of [...this.members]) {
      if (!member.lost) continue;
      member.notify(["dropped"]);
      this.forget(tab);
    }
    const now = Date.now();
    if (now - this.lastBeat < BEAT_MS) return;
    this.lastBeat = now;
    for (const member of this.members.values()) member.beat();
  }

  /** Each tab has a token of its own, so another tab may go on after `denied`. Every other end is the same for all. */
  private ended(why: Closed): void {
    if (why !== "denied") for (const member of this.members.values()) member.notify(["closed", why]);
    this.end();
    this.closed(why);
  }

  private announce(change: LeaderChange): void {
    this.tabs.postMessage(change);
  }
}
