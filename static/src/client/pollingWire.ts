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

  /** `polled` is called after each round. */
  constructor(private readonly polled: () => void) {
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
    this.timer = setTimeout(() => void this.poll(), POLL_SECONDS * 1_000);
  }

  private async poll(): Promise<void> {
    try {
      await Promise.all([...this.rooms].map((room) => room.poll()));
    } finally {
      if (!this.closed) {
        this.wait();
        this.polled();
      }
    }
  }
}
