import type { TaskEvent } from "./types";
import type { Closed } from "./wire";

/** What the tabs of one browser tell each other about the stream that they share. A seat is one join of a room by one
 * tab, by a number of the tab's that it never uses again: what was said to an earlier join is not taken for the present
 * one's. */
export interface Place {
  readonly seat: number;
  readonly name: string;
  readonly cursor: number | null;
  readonly rank: number;
}

export type Wish =
  /** Forget what I asked for before. */
  | readonly ["hello"]
  | readonly ["place", Place]
  | readonly ["leave", seat: number]
  /** So many words were taken. */
  | readonly ["took", words: number]
  | readonly ["polled", seat: number]
  | readonly ["bye"];

export type Word =
  | readonly ["opened"]
  | readonly ["closed", Closed]
  /** Too much was not taken: say hello again. */
  | readonly ["dropped"]
  | readonly ["joined", seat: number, head: number, from: number]
  | readonly ["event", seat: number, TaskEvent]
  | readonly ["resync", seat: number]
  | readonly ["ended", seat: number]
  /** The stream has no place for it: ask by REST. */
  | readonly ["waits", seat: number]
  /** Find out by REST whether it is still allowed. */
  | readonly ["poll", seat: number];

/** From a tab to the leader of that id, or to whoever leads. */
export interface Request {
  readonly tab: string;
  readonly leader: string | null;
  readonly wishes: readonly Wish[];
}

/** From a leader to one tab; no words are a sign of life, and are answered. */
export interface Answer {
  readonly leader: string;
  readonly words: readonly Word[];
}

/** From a leader to all tabs. */
export type Notice = { readonly leads: string } | { readonly left: string };

/** Where a leader writes to one tab: the others are not woken for it. */
export const addressOf = (name: string, tab: string): string => `${name}:${tab}`;
