import type { Access } from "./access";
import { Election } from "./election";
import { Leader } from "./leader";
import { addressOf, type Answer, type Notice, type Request, type Wish, type Word } from "./letters";
import { PollingWire } from "./polling";
import { SILENCE_MS, sseWire, STREAM_ROOMS } from "./sse";
import type { Closed, OpenWire, Room, Wire, WireEvents } from "./wire";

/** The tabs of one name understand each other: another form of what they say needs another one. */
const NAME = "taskroom.stream.1";
/** A little longer than a leader waits for its stream. */
const OPEN_TIMEOUT_MS = 15_000;
/** A leader is told at least so often how many words were taken. */
const WORDS = 256;

/** Rooms over a stream that all tabs of a browser share, for it opens six connections to a server and requests need
 * some. One tab leads and holds the stream; the others hear from it, and one of them goes on at everybody's cursors
 * when it closes, crashes, freezes, signs out or says nothing any more. */
class SharedWire implements Wire {
  readonly kind = "sse";
  readonly capacity = STREAM_ROOMS;
  private readonly tab = crypto.randomUUID();
  private readonly tabs: BroadcastChannel;
  private readonly mail: BroadcastChannel;
  private readonly election: Election;
  private readonly seats = new Map<number, Room>();
  private readonly waiting = new Set<number>();
  private readonly stops: (() => void)[] = [];
  private led: Leader | null = null;
  /** Whom it listens to; null: the first who answers. */
  private leader: string | null = null;
  private wishes: Wish[] = [];
  private polling: PollingWire | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private count = 0;
  private taken = 0;
  private open = false;
  private frozen = false;
  private done = false;

  constructor(
    private readonly access: Access,
    private readonly account: string,
    private readonly events: WireEvents,
  ) {
    const name = `${NAME}:${access.base}:${account}`;
    this.tabs = new BroadcastChannel(name);
    this.mail = new BroadcastChannel(addressOf(name, this.tab));
    this.tabs.onmessage = ({ data }: MessageEvent<Request | Notice>) => this.notice(data);
    this.mail.onmessage = ({ data }: MessageEvent<Answer>) => this.hear(data);
    const lead = (): void => {
      this.led = new Leader(name, (alive) => sseWire(access, alive), (why) => this.finish(why));
    };
    this.election = new Election(name, lead, () => this.deposed());
    // What is frozen holds its locks and connections, and does nothing with them.
    for (const change of ["freeze", "resume"]) this.on(document, change, () => this.freeze(change === "freeze"));
    for (const change of ["pagehide", "pageshow"]) this.on(window, change, () => this.freeze(change === "pagehide"));
    this.begin();
  }

  join(room: Room): void {
    this.leave(room);
    this.say(this.seat(room));
  }

  leave(room: Room): void {
    for (const [seat, { name }] of this.seats) {
      if (name !== room.name) continue;
      this.seats.delete(seat);
      this.carried(seat, room);
      this.say(["leave", seat]);
    }
  }

  /** The open stream ends at its token's time; whoever signs in as another user has no part in it. */
  token(): void {
    if (this.access.account !== this.account) this.finish("cut");
  }

  close(): void {
    this.finish(null);
  }

  private begin(): void {
    this.listen(OPEN_TIMEOUT_MS);
    this.greet(null);
    this.election.stand();
  }

  /** Asks for everything anew, at the cursors of now: what was said to the seats of before is heard no more. */
  private greet(leader: string | null): void {
    const rooms = [...this.seats.values()];
    for (const [seat, room] of this.seats) this.carried(seat, room);
    this.seats.clear();
    this.leader = leader;
    this.taken = 0;
    this.wishes = [["hello"], ...rooms.map((room) => this.seat(room))];
    this.post();
  }

  private seat(room: Room): Wish {
    this.seats.set(++this.count, room);
    return this.place(this.count, room);
  }

  private place(seat: number, { name, cursor, rank }: Room): Wish {
    return ["place", { seat, name, cursor, rank }];
  }

  private say(wish: Wish): void {
    if (!this.wishes.length) queueMicrotask(() => this.post());
    this.wishes.push(wish);
  }

  private post(): void {
    if (this.done || !this.wishes.length) return;
    this.tabs.postMessage({ tab: this.tab, leader: this.leader, wishes: this.wishes } satisfies Request);
    this.wishes = [];
  }

  private notice(notice: Request | Notice): void {
    if ("wishes" in notice || this.frozen) return;
    if ("leads" in notice) this.greet(notice.leads);
    else if (notice.left === this.leader) this.greet(null);
  }

  private hear({ leader, words }: Answer): void {
    if (this.frozen) return;
    this.leader ??= leader;
    const current = (): boolean => this.leader === leader && !this.frozen && !this.done;
    if (!current()) return;
    this.listen(this.open ? SILENCE_MS : OPEN_TIMEOUT_MS);
    for (const word of words) if (current()) this.take(word);
    this.taken += words.length;
    if (!current() || (words.length && this.taken < WORDS)) return;
    this.say(["took", this.taken]);
    this.taken = 0;
  }

  private take(word: Word): void {
    if (word[0] === "opened") return this.opened();
    if (word[0] === "closed") return this.finish(word[1]);
    if (word[0] === "dropped") return this.greet(this.leader);
    const seat = word[1];
    const room = this.seats.get(seat);
    if (!room) return;
    if (word[0] === "joined") this.joined(seat, room, word[2], word[3]);
    else if (word[0] === "event") {
      if (room.cursor === null || word[2].sequence > room.cursor) room.event(word[2]);
    } else if (word[0] === "resync") room.resync();
    else if (word[0] === "ended") room.ended();
    else if (word[0] === "waits") this.wait(seat, room);
    else void room.poll().then(() => this.say(["polled", seat]));
  }

  private opened(): void {
    if (this.open) return;
    this.open = true;
    this.events.opened();
  }

  private joined(seat: number, room: Room, head: number, from: number): void {
    this.carried(seat, room);
    this.events.joined();
    room.joined(head, from);
  }

  private wait(seat: number, room: Room): void {
    this.waiting.add(seat);
    this.polling ??= new PollingWire(() => this.asked());
    this.polling.join(room);
  }

  private carried(seat: number, room: Room): void {
    if (this.waiting.delete(seat)) this.polling?.leave(room);
  }

  /** Once there is a place for them, nobody sends what they have by now. */
  private asked(): void {
    for (const [seat, room] of this.seats) if (this.waiting.has(seat)) this.say(this.place(seat, room));
  }

  private listen(patience: number): void {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.silent(), patience);
  }

  private silent(): void {
    this.listen(OPEN_TIMEOUT_MS);
    if (this.led) return; // its stream has a patience of its own
    this.leader = null;
    this.election.seize();
  }

  private deposed(): void {
    this.led?.end();
    this.led = null;
    this.election.stand();
  }

  private freeze(frozen: boolean): void {
    if (this.frozen === frozen) return;
    if (frozen) this.part();
    this.frozen = frozen;
    if (!frozen) this.begin();
  }

  /** Leaves the others, and the stream to them. */
  private part(): void {
    clearTimeout(this.patience);
    this.say(["bye"]);
    this.post();
    this.leader = null;
    this.led?.end();
    this.led = null;
    this.election.withdraw();
  }

  private finish(why: Closed | null): void {
    if (this.done) return;
    this.part();
    this.done = true;
    this.polling?.close();
    this.tabs.close();
    this.mail.close();
    for (const stop of this.stops) stop();
    if (why) this.events.closed(why);
  }

  private on(target: EventTarget, type: string, handle: () => void): void {
    target.addEventListener(type, handle);
    this.stops.push(() => target.removeEventListener(type, handle));
  }
}

/** Where tabs can agree and are known to be of one user; else each has a stream of its own. Browsers have no locks where
 * a page came without TLS from another machine. */
export const sharedWire =
  (access: Access): OpenWire =>
  (events) => {
    const { account } = access;
    const can = Boolean(navigator.locks) && typeof BroadcastChannel !== "undefined";
    return can && account !== null ? new SharedWire(access, account, events) : sseWire(access)(events);
  };
