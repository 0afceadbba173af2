import type { Problem } from "./problem";
import type { Snapshot, TaskEvent } from "./types";

/** The state of the one connection of a page. `wire`: what carries it. */
export type Link =
  | { kind: "connecting" }
  | { kind: "live"; wire: "socket" | "sse" }
  /** `until`: when it tries again, in milliseconds of this machine's clock. */
  | { kind: "reconnecting"; until: number }
  /** Neither wire works: REST is asked every `seconds`, and the wires are tried now and then. */
  | { kind: "polling"; seconds: number }
  | { kind: "signed out" };

/** The state of one watched task on a connection that is live. */
export type Progress =
  /** `problem`: why it takes long; it is tried again. */
  | { kind: "loading"; problem?: Problem }
  | { kind: "catching up"; behind: number }
  | { kind: "current" }
  | { kind: "ended" }
  | { kind: "refused"; problem: Problem };

export interface TaskSink {
  /** The state to begin from, or to begin again from; everything up to its `sequence` is in it. */
  snapshot(snapshot: Snapshot): void;
  /** Each later event exactly once, in order, without gaps. */
  event(event: TaskEvent): void;
  /** `progress` has changed. */
  progress(): void;
}

export interface UserSink {
  /** Events may have been missed: load what is shown again. Called once at the start, after each gap that cannot be
   * closed, and at each round of polling. */
  refresh(): void;
  /** Each event of the user's stream (or `broadcast`) exactly once, in order. */
  event(event: TaskEvent): void;
}

export interface Watch {
  stop(): void;
}

export interface TaskWatch extends Watch {
  readonly progress: Progress;
}

/** One connection for everything a page watches: Socket.IO, else one SSE stream of many rooms, else polling. */
export interface Connection {
  readonly link: Link;
  /** Calls back after every change of `link`; returns a function that stops it. */
  listen(listener: () => void): () => void;
  /** Snapshot, then live from exactly there, across every break, until the task's end. */
  task(taskId: string, sink: TaskSink): TaskWatch;
  /** The summary of a task, without its log: `task_status`, `phase_update` and `phase_complete`, the present state first. */
  summary(taskId: string, onEvent: (event: TaskEvent) => void): Watch;
  /** The user's own stream and `broadcast`. Several may watch; the page holds one room. */
  user(sink: UserSink): Watch;
  /** Tries now and not at the end of the back-off, the best wire first. */
  retryNow(): void;
}
