import type { Access } from "./access";
import type { Backoff } from "./backoff";
import { Opening } from "./opening";
import { POLL_SECONDS, PollingWire } from "./pollingWire";
import type { Rooms } from "./rooms";
import { sharedWire } from "./sharedWire";
import { socketWire } from "./socketWire";
import type { Link } from "./watch";
import type { Closed, OpenWire, Wire } from "./wire";

const TRIES = 10;
const PROBE_MS = 60_000;

/** Keeps the rooms of a connection on the best wire that works. The rooms keep their cursors while wires come and go. */
export class Carrier {
  link: Link = { kind: "connecting" };
  private readonly wires: readonly OpenWire[];
  /** Carries the rooms now, or will when it has opened. */
  private opening: Opening | null = null;
  /** Tries a better wire meanwhile. */
  private probing: Opening | null = null;
  private polling: PollingWire | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  /** The round of polling in which REST answered again last. */
  private probedRound = 0;
  private everOpened = false;
  private renewing = false;
  private token: string | null;

  /** `changed` is called after every change of `link`. */
  constructor(
    private readonly access: Access,
    private readonly rooms: Rooms,
    private readonly backoff: Backoff,
    private readonly changed: () => void,
  ) {
    this.wires = [socketWire(access), sharedWire(access)];
    this.token = access.token;
  }

  /** Connects, unless it is connected, tries to be, or waits for its next try. */
  begin(): void {
    if (!this.opening && !this.polling && !this.renewing && this.link.kind !== "reconnecting") this.open();
  }

  retryNow(): void {
    if (this.link.kind === "signed out") return;
    if (this.polling || this.link.kind === "live") this.probe();
    else if (this.link.kind === "reconnecting") this.open();
  }

  networkChanged(): void {
    if (this.polling) this.probe();
    else if (this.link.kind === "live" || this.link.kind === "reconnecting") this.open();
  }

  /** Hands a renewed token to the open wire. */
  tokenChanged(): void {
    const { token } = this.access;
    if (token && token !== this.token) this.opening?.token(token);
    this.token = token;
    if (this.link.kind === "signed out") this.announce({ kind: "connecting" });
  }

  /** While polling: says whether the server answers, and tries the wires when it does again. */
  reachableChanged(): void {
    if (!this.polling) return;
    const back = this.access.reachable && this.link.kind === "reconnecting";
    this.announcePolling();
    // Where a server answers only now and then, not each of its answers begins a probe.
    if (!back || this.probedRound === this.polling.next) return;
    this.probedRound = this.polling.next;
    this.probe();
  }

  /** Ends every wire; `link` stays as it is. */
  drop(): void {
    clearTimeout(this.timer);
    this.probing?.stop();
    this.opening?.stop();
    this.probing = this.opening = null;
    this.stopPolling();
    this.rooms.carry(null);
  }

  announce(link: Link): void {
    this.link = link;
    this.changed();
  }

  private open(first = 0): void {
    this.drop();
    if (this.link.kind !== "reconnecting") this.announce({ kind: "connecting" });
    this.opening = this.attempt(this.wires, first, (denied) => {
      this.opening = null;
      if (denied) void this.renew(() => this.wait());
      // Where no wire has ever opened, something on the way blocks them all; a server that stopped comes back.
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
    // Where only the token of an open wire has expired, the same wire opens again at once with a new one.
    if (why === "denied") void this.renew(() => this.open(choice));
    else this.wait();
  }

  private async renew(then: () => void): Promise<void> {
    this.renewing = true;
    this.announce({ kind: "connecting" });
    try {
      await this.access.renew();
    } catch {
      // `access` reports the end of the session; a server that does not answer now may answer later.
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
    this.polling = new PollingWire(() => this.announcePolling());
    this.rooms.carry(this.polling);
    this.probeLater(true);
    this.announcePolling();
  }

  private announcePolling(): void {
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

  private stopPolling(): void {
    this.polling?.close();
    this.polling = null;
  }
}
