import type { TaskEvent } from "./types";

/** Why a wire ended. `unreachable`: it never opened; `denied`: the token is not good any more; `refused`: the task. */
export type Closed =
  | { kind: "unreachable" | "cut" | "denied" }
  | { kind: "refused"; status: number; title: string };

export interface WireEvents {
  /** The server took the cursor; `head` is the stream's last sequence then. */
  joined(head: number): void;
  event(event: TaskEvent): void;
  /** The cursor was refused: only a fresh snapshot goes on. */
  resync(): void;
  /** The task is finished and everything has been sent. */
  end(): void;
  /** Once, and nothing after it. */
  closed(why: Closed): void;
}

export interface Wire {
  /** Ends it silently: no callback comes any more. */
  close(): void;
  /** Hands a renewed access token to the open connection. */
  token(token: string): void;
}

/** Opens one connection to `task:<taskId>` from `cursor` on; it does not reconnect by itself. Calls back later only. */
export type OpenWire = (taskId: string, cursor: number, events: WireEvents) => Wire;

/** The numbered event in a payload of the stream `task:<taskId>`, or null when it is something else. */
export function numbered(taskId: string, type: string, payload: unknown): TaskEvent | null {
  if (typeof payload !== "object" || payload === null) return null;
  const fields = payload as Record<string, unknown>;
  const { sequence, stream } = fields;
  if (stream !== `task:${taskId}` || typeof sequence !== "number" || !Number.isSafeInteger(sequence)) return null;
  return { ...fields, type, sequence };
}
