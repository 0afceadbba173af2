import type { Problem } from "./http";
import { safely } from "./safely";
import type { TaskEvent } from "./types";

/** One stream that is watched, as a wire sees it. */
export interface Room {
  /** As the server names it: `task:<id>`, `user` or `broadcast`. */
  readonly name: string;
  /** The event types that are wanted; null: all. A wire that cannot choose may bring others. */
  readonly types: readonly string[] | null;
  /** A room of less rank makes place for one of higher rank. */
  readonly rank: number;
  /** Asked at each join. It has everything up to there; null has nothing yet. */
  readonly cursor: number | null;
  /** What comes after `from` comes now; null: the present state first. `head` is the stream's last sequence then. */
  joined(head: number, from: number | null): void;
  event(event: TaskEvent): void;
  /** The cursor was refused. */
  resync(): void;
  /** The stream has ended and everything was sent. */
  ended(): void;
  refused(problem: Problem): void;
  /** The wire carries it no longer. */
  left(): void;
  /** Asks by REST for what is new, and learns so whether it is still allowed. Never throws. */
  poll(): Promise<void>;
}

export type WireKind = "socket" | "sse" | "polling";

/** Carries rooms, each at its own cursor. It does not reconnect by itself. */
export interface Wire {
  readonly kind: WireKind;
  /** How many rooms at a time. */
  readonly capacity: number;
  /** A second join of the same room leaves it first, so that it begins at its cursor again. */
  join(room: Room): void;
  leave(room: Room): void;
  /** Hands a renewed access token to the open connection. */
  token(token: string): void;
  /** Ends it silently: no callback comes any more, to rooms neither. */
  close(): void;
}

/** Why a wire ended. `unreachable`: it never opened; `denied`: the token is not good any more. */
export type Closed = "unreachable" | "cut" | "denied";

export interface WireEvents {
  /** Rooms can be joined. */
  opened(): void;
  /** A room was. */
  joined(): void;
  /** Once, and nothing after it. */
  closed(why: Closed): void;
}

/** Opens a connection without rooms. Calls back later only. */
export type OpenWire = (events: WireEvents) => Wire;

/** Hands a server's message to the room it is for. What has no sequence, or is of no room here, is passed over. */
export function deliver(rooms: ReadonlyMap<string, Room>, type: string, payload: unknown): void {
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

/** A connection hears of one user only, its own. */
export const roomOf = (stream: string): string => (stream.startsWith("user:") ? "user" : stream);
