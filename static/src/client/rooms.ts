import type { Room, Wire } from "./wire";

/** A room with what decides whether, and before which others, it has a place on a wire. */
export interface Watched extends Room {
  /** Whether it knows where to begin. */
  readonly ready: boolean;
  /** The session is there: begins, or goes on. */
  resume(): void;
  /** The session is over: asks for nothing until `resume`. */
  pause(): void;
}

/** The rooms of one connection, and which of them its wire carries. */
export class Rooms {
  private readonly watched = new Set<Watched>();
  private readonly seated = new Set<Watched>();
  private wire: Wire | null = null;

  add(room: Watched): void {
    this.watched.add(room);
    this.settle();
  }

  remove(room: Watched): void {
    room.pause();
    this.watched.delete(room);
    this.settle();
  }

  /** From now on `wire` carries them; the one before is closed, or will be. */
  carry(wire: Wire | null): void {
    for (const room of [...this.seated]) room.left();
    this.seated.clear();
    this.wire = wire;
    this.settle();
  }

  /** Whether it has its place. */
  carries(room: Watched): boolean {
    return this.seated.has(room);
  }

  /** Begins again at the room's cursor. */
  rejoin(room: Watched): void {
    if (this.seated.has(room)) this.wire?.join(room);
  }

  /** Gives the places on the wire to those that are to have them; who is seated stays before others of its rank. */
  settle(): void {
    const { wire } = this;
    if (!wire) return;
    const ready = [...this.seated, ...[...this.watched].filter((room) => !this.seated.has(room))].filter(
      (room) => room.ready && this.watched.has(room),
    );
    const wanted = new Set(ready.sort((one, other) => other.rank - one.rank).slice(0, wire.capacity));
    for (const room of [...this.seated]) {
      if (wanted.has(room)) continue;
      this.seated.delete(room);
      wire.leave(room);
      room.left();
    }
    for (const room of wanted) {
      if (this.seated.has(room)) continue;
      this.seated.add(room);
      wire.join(room);
    }
  }

  resume(): void {
    for (const room of [...this.watched]) room.resume();
  }

  pause(): void {
    for (const room of [...this.watched]) room.pause();
  }
}
