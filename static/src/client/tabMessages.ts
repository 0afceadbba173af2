import type { TaskEvent } from "./types";
import type { Closed } from "./wire";

/** The messages by which the tabs of one browser share a stream. A join has a number that its tab never uses again, so
 * that an answer to an earlier join of a room is not taken for one to the present join. */
export interface JoinRequest {
  readonly join: number;
  readonly name: string;
  readonly cursor: number | null;
  readonly rank: number;
}

/** What a tab wants of the leader. */
export type Command =
  /** Forget what this tab has joined. */
  | readonly ["hello"]
  | readonly ["join", JoinRequest]
  | readonly ["leave", join: number]
  /** So many notices were handled. */
  | readonly ["handled", notices: number]
  | readonly ["polled", join: number]
  | readonly ["bye"];

/** What the leader reports to a tab. */
export type Notice =
  | readonly ["opened"]
  | readonly ["closed", Closed]
  /** Too many notices were not handled: say hello again. */
  | readonly ["dropped"]
  | readonly ["joined", join: number, head: number, from: number]
  | readonly ["event", join: number, TaskEvent]
  | readonly ["resync", join: number]
  | readonly ["ended", join: number]
  /** The stream cannot carry the room now: ask by REST. */
  | readonly ["waits", join: number]
  /** Find out by REST whether the user may still see the room. */
  | readonly ["poll", join: number];

/** From a tab to the leader of that id; null: to any leader. */
export interface TabMessage {
  readonly tab: string;
  readonly leader: string | null;
  readonly commands: readonly Command[];
}

/** From a leader to one tab. Without notices it is a heartbeat, which the tab answers. */
export interface LeaderMessage {
  readonly leader: string;
  readonly notices: readonly Notice[];
}

/** From a leader to all tabs. */
export type LeaderChange = { readonly leads: string } | { readonly left: string };

/** Returns the name of the channel to one tab, which does not wake the others. */
export const channelOf = (name: string, tab: string): string => `${name}:${tab}`;
