import type { Room, Wire } from "./wire";

export const POLL_SECONDS = 10;

/** Carries rooms where no connection stays open: each room asks by REST, every `POLL_SECONDS`. */
export class PollingWire implements Wire {
  readonly kind = "polling";
  readonly capacity = Infinity;
  private readonly rooms = new Set<Room>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  /** When it asks again, in milliseconds of this machine's clock. */
  next = Date.now();

  /** `turned` is called after each turn. */
  constructor(private readonly turned: () => void) {
    this.wait();
  }

  join(room: Room): void {
    this.rooms.add(room);
    void room.poll();
  }

  leave(room: Room): void {
    this.rooms.delete(room);
  }

  token(): void {
    // Each request has the token of its time.
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private wait(): void {
    this.next = Date.now() + POLL_SECONDS * 1_000;
    this.timer = setTimeout(() => void this.turn(), POLL_SECONDS * 1_000);
  }

  private async turn(): Promise<void> {
    try {
      await Promise.all([...this.rooms].map((room) => room.poll()));
    } finally {
      if (!this.closed) {
        this.wait();
        this.turned();
      }
    }
  }
}
