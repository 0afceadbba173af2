import { heard } from "./lifeSigns";
import type { Problem } from "./problem";
import { safely } from "./safely";
import type { TaskEvent } from "./types";

/** One stream that is watched, as a wire sees it. */
export interface Room {
  /** As the server names it: `task:<id>`, `user` or `broadcast`. */
  readonly name: string;
  /** The event types that are wanted; null: all. A wire that cannot choose may bring others. */
  readonly types: readonly string[] | null;
  /** Where a wire cannot carry all rooms, it carries those of higher rank. */
  readonly rank: number;
  /** Read at each join. The room has everything up to there; null: it has nothing yet. */
  readonly cursor: number | null;
  /** The events after `from` follow; null: the present state first. `head` is the last sequence of the stream now. */
  joined(head: number, from: number | null): void;
  event(event: TaskEvent): void;
  /** The cursor was refused. */
  resync(): void;
  /** The stream has ended and everything was sent. */
  ended(): void;
  refused(problem: Problem): void;
  /** The wire no longer carries it. */
  left(): void;
  /** Asks by REST for what is new; the answer also shows whether the user may still see it. Never throws. */
  poll(): Promise<void>;
}

type WireKind = "socket" | "sse" | "polling";

/** Carries rooms, each from its own cursor. It does not reconnect by itself. */
export interface Wire {
  readonly kind: WireKind;
  /** How many rooms at a time. */
  readonly capacity: number;
  /** A second join of the same room leaves it first, so that it begins at its cursor again. */
  join(room: Room): void;
  leave(room: Room): void;
  /** Hands a renewed access token to the open connection. */
  token(token: string): void;
  /** Ends it without a callback, and no room gets one any more. */
  close(): void;
}

/** Why a wire ended. `unreachable`: it never opened; `denied`: the token is no longer valid. */
export type Closed = "unreachable" | "cut" | "denied";

export interface WireEvents {
  /** Rooms can be joined. */
  opened(): void;
  /** A room has been joined. */
  joined(): void;
  /** Called once, as the last one. */
  closed(why: Closed): void;
}

/** Opens a connection without rooms. Never calls back before it returns. */
export type OpenWire = (events: WireEvents) => Wire;

/** Hands a message of the server to its room. A message without a sequence, or of an unknown room, is ignored. */
export function deliver(rooms: ReadonlyMap<string, Room>, type: string, payload: unknown): void {
  heard();
  if (typeof payload !== "object" || payload === null) return;
  const fields = payload as Record<string, unknown>;
  const { sequence, stream } = fields;
  const room = typeof stream === "string" ? rooms.get(roomOf(stream)) : undefined;
  if (!room) return;
  safely(() => {
    if (type === "resync") room.resync();
    else if (type === "end") room.ended();
    else if (typeof sequence === "number" && Number.isSafeInteger(sequence)) room.event({ ...fields, type, sequence });
  });
}

/** Returns the room of a stream: a connection carries the stream of one user only. */
export const roomOf = (stream: string): string => (stream.startsWith("user:") ? "user" : stream);
