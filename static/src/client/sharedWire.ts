import type { Access } from "./access";
import { Election } from "./election";
import { Leader } from "./leader";
import { PollingWire } from "./pollingWire";
import { SILENCE_MS, sseWire, STREAM_ROOMS } from "./sseWire";
import { channelOf, type Command, type LeaderChange, type LeaderMessage, type Notice, type TabMessage } from "./tabMessages";
import type { Closed, OpenWire, Room, Wire, WireEvents } from "./wire";

/** The number changes with the form of the messages, because tabs of two versions must not share a stream. */
const NAME = "taskroom.stream.2";
/** A little longer than a leader waits for its stream. */
const OPEN_TIMEOUT_MS = 15_000;
/** The leader is told at least so often how many notices were handled. */
const NOTICES = 256;

/** Rooms over a stream that all tabs of a browser share, because a browser opens only six connections to a server and
 * requests need some of them. One tab leads and holds the stream, and the others get its events from the leader. When the
 * leader closes, crashes, freezes, signs out or is silent, another tab goes on at the cursors of all tabs. */
class SharedWire implements Wire {
  readonly kind = "sse";
  readonly capacity = STREAM_ROOMS;
  private readonly tab = crypto.randomUUID();
  private readonly tabs: BroadcastChannel;
  private readonly own: BroadcastChannel;
  private readonly election: Election;
  private readonly joins = new Map<number, Room>();
  private readonly waiting = new Set<number>();
  private readonly ended = new AbortController();
  private led: Leader | null = null;
  /** The id of the leader that is followed; null: the first one that answers. */
  private leader: string | null = null;
  private commands: Command[] = [];
  private polling: PollingWire | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private count = 0;
  private handled = 0;
  private open = false;
  private frozen = false;

  constructor(
    private readonly access: Access,
    private readonly account: string,
    private readonly events: WireEvents,
  ) {
    const name = `${NAME}:${access.base}:${account}`;
    this.tabs = new BroadcastChannel(name);
    this.own = new BroadcastChannel(channelOf(name, this.tab));
    this.tabs.onmessage = ({ data }: MessageEvent<TabMessage | LeaderChange>) => this.leaderChanged(data);
    this.own.onmessage = ({ data }: MessageEvent<LeaderMessage>) => this.received(data);
    const lead = (): void => {
      this.led = new Leader(name, (alive) => sseWire(access, alive), (why) => this.finish(why));
    };
    this.election = new Election(name, lead, () => this.deposed());
    const { signal } = this.ended;
    // A frozen page keeps its locks and connections, and does nothing with them.
    const changes: [EventTarget, string, string][] = [
      [document, "freeze", "resume"],
      [window, "pagehide", "pageshow"],
    ];
    for (const [target, freeze, thaw] of changes) {
      target.addEventListener(freeze, () => this.freeze(true), { signal });
      target.addEventListener(thaw, () => this.freeze(false), { signal });
    }
    this.begin();
  }

  join(room: Room): void {
    this.leave(room);
    this.send(this.joining(room));
  }

  leave(room: Room): void {
    for (const [join, { name }] of this.joins) {
      if (name !== room.name) continue;
      this.joins.delete(join);
      this.stopWaiting(join, room);
      this.send(["leave", join]);
    }
  }

  /** The open stream ends when its token expires; a tab of another account leaves it now. */
  token(): void {
    if (this.access.account !== this.account) this.finish("cut");
  }

  close(): void {
    this.finish(null);
  }

  private begin(): void {
    this.expectWithin(OPEN_TIMEOUT_MS);
    this.greet(null);
    this.election.enter();
  }

  /** Joins everything again, at the present cursors; notices to earlier joins are ignored. */
  private greet(leader: string | null): void {
    const rooms = [...this.joins.values()];
    for (const [join, room] of this.joins) this.stopWaiting(join, room);
    this.joins.clear();
    this.leader = leader;
    this.handled = 0;
    this.commands = [["hello"], ...rooms.map((room) => this.joining(room))];
    this.post();
  }

  private joining(room: Room): Command {
    this.joins.set(++this.count, room);
    return this.request(this.count, room);
  }

  private request(join: number, { name, cursor, rank }: Room): Command {
    return ["join", { join, name, cursor, rank }];
  }

  private send(command: Command): void {
    if (!this.commands.length) queueMicrotask(() => this.post());
    this.commands.push(command);
  }

  private post(): void {
    if (this.done || !this.commands.length) return;
    this.tabs.postMessage({ tab: this.tab, leader: this.leader, commands: this.commands } satisfies TabMessage);
    this.commands = [];
  }

  private leaderChanged(change: TabMessage | LeaderChange): void {
    if ("commands" in change || this.frozen) return;
    if ("leads" in change) this.greet(change.leads);
    else if (change.left === this.leader) this.greet(null);
  }

  private received({ leader, notices }: LeaderMessage): void {
    if (this.frozen) return;
    this.leader ??= leader;
    const current = (): boolean => this.leader === leader && !this.frozen && !this.done;
    if (!current()) return;
    this.expectWithin(this.open ? SILENCE_MS : OPEN_TIMEOUT_MS);
    for (const notice of notices) if (current()) this.handle(notice);
    this.handled += notices.length;
    if (!current() || (notices.length && this.handled < NOTICES)) return;
    this.send(["handled", this.handled]);
    this.handled = 0;
  }

  private handle(notice: Notice): void {
    if (notice[0] === "opened") return this.opened();
    if (notice[0] === "closed") return this.finish(notice[1]);
    if (notice[0] === "dropped") return this.greet(this.leader);
    const join = notice[1];
    const room = this.joins.get(join);
    if (!room) return;
    if (notice[0] === "joined") this.joined(join, room, notice[2], notice[3]);
    else if (notice[0] === "event") {
      if (room.cursor === null || notice[2].sequence > room.cursor) room.event(notice[2]);
    } else if (notice[0] === "resync") room.resync();
    else if (notice[0] === "ended") room.ended();
    else if (notice[0] === "waits") this.wait(join, room);
    else void room.poll().then(() => this.send(["polled", join]));
  }

  private opened(): void {
    if (this.open) return;
    this.open = true;
    this.events.opened();
  }

  private joined(join: number, room: Room, head: number, from: number): void {
    this.stopWaiting(join, room);
    this.events.joined();
    room.joined(head, from);
  }

  private wait(join: number, room: Room): void {
    this.waiting.add(join);
    this.polling ??= new PollingWire(() => this.updateWaiting());
    this.polling.join(room);
  }

  private stopWaiting(join: number, room: Room): void {
    if (this.waiting.delete(join)) this.polling?.leave(room);
  }

  /** Sends the cursors of waiting rooms, so that the stream does not repeat what polling has brought. */
  private updateWaiting(): void {
    for (const [join, room] of this.joins) if (this.waiting.has(join)) this.send(this.request(join, room));
  }

  private expectWithin(ms: number): void {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.silent(), ms);
  }

  private silent(): void {
    this.expectWithin(OPEN_TIMEOUT_MS);
    if (this.led) return; // its stream has a timeout of its own
    this.leader = null;
    this.election.steal();
  }

  private deposed(): void {
    this.led?.end();
    this.led = null;
    this.election.enter();
  }

  private freeze(frozen: boolean): void {
    if (this.frozen === frozen) return;
    if (frozen) this.part();
    this.frozen = frozen;
    if (!frozen) this.begin();
  }

  /** Leaves the leader, or gives up leading. */
  private part(): void {
    clearTimeout(this.patience);
    this.send(["bye"]);
    this.post();
    this.leader = null;
    this.led?.end();
    this.led = null;
    this.election.withdraw();
  }

  private finish(why: Closed | null): void {
    if (this.done) return;
    this.part();
    this.ended.abort();
    this.polling?.close();
    this.tabs.close();
    this.own.close();
    if (why) this.events.closed(why);
  }

  private get done(): boolean {
    return this.ended.signal.aborted;
  }
}

/** Shares one stream where tabs can agree and their account is known; else each tab has a stream of its own. Browsers
 * have no locks on a page that came without TLS from another machine. */
export const sharedWire =
  (access: Access): OpenWire =>
  (events) => {
    const { account } = access;
    const can = Boolean(navigator.locks) && typeof BroadcastChannel !== "undefined";
    return can && account !== null ? new SharedWire(access, account, events) : sseWire(access)(events);
  };
