import type { Closed, OpenWire, Wire } from "./wire";

const PROVED_MS = 10_000;

interface OpeningEvents {
  opened(wire: Wire, choice: number): void;
  /** The open wire works: it has joined a room, or has stayed open for a while. A server in trouble may accept
   * connections and do nothing else. */
  proved(): void;
  /** None opened; `denied`: the token is no longer valid. */
  failed(denied: boolean): void;
  /** The wire that had opened has ended. */
  lost(why: Closed, choice: number): void;
}

/** Tries wires, the best first, until one opens. */
export class Opening {
  private wire: Wire | null = null;
  private opened = false;
  private over = false;
  private proving: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly wires: readonly OpenWire[],
    private readonly events: OpeningEvents,
    first = 0,
  ) {
    this.attempt(first);
  }

  /** Ends it, and the wire that it opened, without a callback. */
  stop(): void {
    this.over = true;
    clearTimeout(this.proving);
    this.wire?.close();
  }

  token(token: string): void {
    this.wire?.token(token);
  }

  private attempt(choice: number): void {
    const open = this.wires[choice];
    if (!open) return this.end(() => this.events.failed(false));
    // The callbacks of an abandoned attempt are ignored.
    const current = (handle: () => void): void => {
      if (!this.over && this.wire === wire) handle();
    };
    const wire = open({
      opened: () =>
        current(() => {
          this.opened = true;
          this.events.opened(wire, choice);
          if (!this.over) this.proving = setTimeout(() => this.events.proved(), PROVED_MS);
        }),
      joined: () =>
        current(() => {
          clearTimeout(this.proving);
          this.events.proved();
        }),
      closed: (why) =>
        current(() => {
          if (this.opened) this.end(() => this.events.lost(why, choice));
          else if (why === "denied") this.end(() => this.events.failed(true));
          else this.attempt(choice + 1);
        }),
    });
    this.wire = wire;
  }

  private end(callback: () => void): void {
    this.over = true;
    clearTimeout(this.proving);
    callback();
  }
}
