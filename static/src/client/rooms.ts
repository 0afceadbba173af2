import type { Room, Wire } from "./wire";

/** A room that may wait for its place on a wire. */
export interface Watched extends Room {
  /** Whether its cursor is known, so that it can be joined. */
  readonly ready: boolean;
  /** There is a session: begins, or goes on. */
  resume(): void;
  /** The session is over: sends nothing until `resume`. */
  pause(): void;
}

/** The rooms of one connection, and which of them its wire carries. */
export class Rooms {
  private readonly watched = new Set<Watched>();
  private readonly carried = new Set<Watched>();
  private wire: Wire | null = null;

  add(room: Watched): void {
    this.watched.add(room);
    this.assign();
  }

  remove(room: Watched): void {
    room.pause();
    this.watched.delete(room);
    this.assign();
  }

  /** Moves them to `wire`; the caller closes the one before. */
  carry(wire: Wire | null): void {
    for (const room of [...this.carried]) room.left();
    this.carried.clear();
    this.wire = wire;
    this.assign();
  }

  /** Whether the wire carries the room. */
  carries(room: Watched): boolean {
    return this.carried.has(room);
  }

  /** Begins again at the room's cursor. */
  rejoin(room: Watched): void {
    if (this.carried.has(room)) this.wire?.join(room);
  }

  /** Joins and leaves rooms until the wire carries the right ones: by rank, and of one rank those that it carries. */
  assign(): void {
    const { wire } = this;
    if (!wire) return;
    const ready = [...this.carried, ...[...this.watched].filter((room) => !this.carried.has(room))].filter(
      (room) => room.ready && this.watched.has(room),
    );
    const wanted = new Set(ready.sort((one, other) => other.rank - one.rank).slice(0, wire.capacity));
    for (const room of [...this.carried]) {
      if (wanted.has(room)) continue;
      this.carried.delete(room);
      wire.leave(room);
      room.left();
    }
    for (const room of wanted) {
      if (this.carried.has(room)) continue;
      this.carried.add(room);
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
