import type { Access } from "./access";
import { Api } from "./api";
import { Backoff } from "./backoff";
import { Opening } from "./opening";
import { Own } from "./own";
import { POLL_SECONDS, PollingWire } from "./polling";
import { Rooms } from "./rooms";
import { safely } from "./safely";
import { sharedWire } from "./sharedWire";
import { socketWire } from "./socket";
import { Tasks } from "./tasks";
import type { TaskEvent } from "./types";
import type { Connection, Link, TaskSink, TaskWatch, UserSink, Watch } from "./watch";
import type { Closed, OpenWire, Wire } from "./wire";

const TRIES = 10;
const PROBE_MS = 60_000;
/** From one page of a dashboard to the next nothing is watched for a moment. */
const LINGER_MS = 5_000;

/** The one connection of a page. `link` says how it stands; the rooms keep their cursors across all of it. */
export class PageConnection implements Connection {
  link: Link = { kind: "connecting" };
  private readonly rooms = new Rooms();
  private readonly tasks: Tasks;
  private readonly own = new Own(this.rooms);
  private readonly wires: readonly OpenWire[];
  private readonly listeners = new Set<() => void>();
  private readonly stops: (() => void)[] = [];
  /** What brings, or carries, everything now. */
  private opening: Opening | null = null;
  /** A better wire that is tried meanwhile. */
  private probing: Opening | null = null;
  private polling: PollingWire | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  /** The turn of polling in which REST answered again last. */
  private probedTurn = 0;
  private everOpened = false;
  private renewing = false;
  private token: string | null;

  constructor(
    private readonly access: Access,
    private readonly backoff = new Backoff(),
  ) {
    this.wires = [socketWire(access), sharedWire(access)];
    this.tasks = new Tasks(new Api(access), this.rooms);
    this.token = access.token;
    this.stops.push(access.listen(() => this.accessChanged()));
    // A stream does not notice a network that went, and the page must not say live meanwhile.
    for (const change of ["offline", "online"]) this.on(window, change, () => this.networkChanged());
    this.on(document, "visibilitychange", () => document.hidden || this.link.kind !== "reconnecting" || this.retryNow());
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  task(taskId: string, sink: TaskSink): TaskWatch {
    const watch = this.tasks.watch(taskId, sink);
    this.begin();
    return {
      stop: () => this.stopped(watch),
      get progress() {
        return watch.progress;
      },
    };
  }

  standing(taskId: string, heard: (event: TaskEvent) => void): Watch {
    const watch = this.tasks.standing(taskId, heard);
    this.begin();
    return { stop: () => this.stopped(watch) };
  }

  user(sink: UserSink): Watch {
    const watch = this.own.watch(sink);
    this.begin();
    return { stop: () => this.stopped(watch) };
  }

  retryNow(): void {
    if (this.link.kind === "signed out") return;
    if (this.polling || this.link.kind === "live") this.probe();
    else if (this.link.kind === "reconnecting") this.open();
  }

  /** For good: nothing that is watched hears anything any more. */
  close(): void {
    for (const stop of this.stops) stop();
    clearTimeout(this.idle);
    this.rooms.pause();
    this.drop();
  }

  private begin(): void {
    clearTimeout(this.idle);
    if (!this.access.signedIn) return;
    this.rooms.resume();
    if (!this.opening && !this.polling && !this.renewing && this.link.kind !== "reconnecting") this.open();
  }

  private stopped(watch: Watch): void {
    watch.stop();
    if (this.watched) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      this.drop();
      this.own.forget();
      this.announce({ kind: "connecting" });
    }, LINGER_MS);
  }

  private open(first = 0): void {
    this.drop();
    if (this.link.kind !== "reconnecting") this.announce({ kind: "connecting" });
    this.opening = this.attempt(this.wires, first, (denied) => {
      this.opening = null;
      if (denied) void this.renew(() => this.wait());
      // A page that never had a wire is behind something that lets none through; a server that went comes back.
      else if (this.everOpened) this.wait();
      else this.poll();
    });
  }

  private attempt(wires: readonly OpenWire[], first: number, failed: (denied: boolean) => void): Opening {
    const opening: Opening = new Opening(
      wires,
      {
        opened: (wire, choice) => this.opened(opening, wire, choice),
        proved: () => {
          this.tries = 0;
          this.backoff.reset();
        },
        lost: (why, choice) => this.lost(why, choice),
        failed,
      },
      first,
    );
    return opening;
  }

  private opened(opening: Opening, wire: Wire, choice: number): void {
    const before = this.opening;
    this.probing = null;
    this.opening = opening;
    this.everOpened = true;
    this.rooms.carry(wire);
    if (before !== opening) before?.stop();
    this.stopPolling();
    this.probeLater(choice > 0);
    this.announce({ kind: "live", wire: wire.kind === "socket" ? "socket" : "sse" });
  }

  private lost(why: Closed, choice: number): void {
    this.drop();
    // A token that ended on an open wire is nobody's fault: with a new one the same wire opens again at once.
    if (why === "denied") void this.renew(() => this.open(choice));
    else this.wait();
  }

  private async renew(then: () => void): Promise<void> {
    this.renewing = true;
    this.announce({ kind: "connecting" });
    try {
      await this.access.renew();
    } catch {
      // The session itself tells that it is over; a server that does not answer may do so later.
      then = () => this.wait();
    }
    this.renewing = false;
    if (this.access.signedIn) then();
  }

  private wait(): void {
    this.drop();
    if (++this.tries > TRIES) return this.poll();
    const delay = this.backoff.next();
    this.timer = setTimeout(() => this.open(), delay);
    this.announce({ kind: "reconnecting", until: Date.now() + delay });
  }

  private poll(): void {
    this.drop();
    this.polling = new PollingWire(() => this.tellPolling());
    this.rooms.carry(this.polling);
    this.probeLater(true);
    this.tellPolling();
  }

  private tellPolling(): void {
    if (!this.polling) return;
    if (this.access.reachable) this.announce({ kind: "polling", seconds: POLL_SECONDS });
    else this.announce({ kind: "reconnecting", until: this.polling.next });
  }

  /** Tries the wires that are better than the present one, which goes on meanwhile. */
  private probe(): void {
    if (this.probing) return;
    if (this.link.kind === "live" && this.link.wire === "socket") return;
    const better = this.polling ? this.wires : this.wires.slice(0, 1);
    this.probing = this.attempt(better, 0, () => {
      this.probing = null;
      this.probeLater(true);
    });
  }

  private probeLater(due: boolean): void {
    clearTimeout(this.timer);
    if (due) this.timer = setTimeout(() => this.probe(), PROBE_MS);
  }

  private networkChanged(): void {
    if (this.polling) this.probe();
    else if (this.link.kind === "live" || this.link.kind === "reconnecting") this.open();
  }

  private accessChanged(): void {
    const { signedIn, token, reachable } = this.access;
    if (signedIn === null) return;
    if (!signedIn) return this.signedOut();
    if (token && token !== this.token) this.opening?.token(token);
    this.token = token;
    if (this.link.kind === "signed out") this.announce({ kind: "connecting" });
    if (this.watched) this.begin();
    if (!this.polling) return;
    const back = reachable && this.link.kind === "reconnecting";
    this.tellPolling();
    // A server that answers one request and not the next is not tried at each of them.
    if (!back || this.probedTurn === this.polling.next) return;
    this.probedTurn = this.polling.next;
    this.probe();
  }

  private signedOut(): void {
    if (this.link.kind === "signed out") return;
    this.rooms.pause();
    this.drop();
    this.own.forget();
    this.announce({ kind: "signed out" });
  }

  private get watched(): boolean {
    return this.tasks.watched || this.own.watched;
  }

  private drop(): void {
    clearTimeout(this.timer);
    this.probing?.stop();
    this.opening?.stop();
    this.probing = this.opening = null;
    this.stopPolling();
    this.rooms.carry(null);
  }

  private stopPolling(): void {
    this.polling?.close();
    this.polling = null;
  }

  private announce(link: Link): void {
    this.link = link;
    for (const listener of [...this.listeners]) safely(listener);
  }

  private on(target: EventTarget, type: string, handle: () => void): void {
    target.addEventListener(type, handle);
    this.stops.push(() => target.removeEventListener(type, handle));
  }
}
