/** What the server sends of the log of a task. */

/** A part of the log, from its first event to its last, which is null while it is open. */
export interface LogSection {
  kind: "attempt" | "phase" | "group";
  name: string;
  group_id: string | null;
  first_sequence: number;
  last_sequence: number | null;
  started_at: string;
  ended_at: string | null;
}

export interface LogLine {
  sequence: number;
  /** Its number among the lines of the log; not there of runs that are older than it. */
  line?: number;
  timestamp: string;
  level: string;
  message: string;
  component: string | null;
  phase: string | null;
  /** It is about an item that is counted as failed. */
  item_error?: true;
}

/** `level` is the least severe to show; `q` a text that the message contains; `errors`: only errors, those of items too. */
export interface LogFilter {
  level?: string | undefined;
  phase?: string | undefined;
  q?: string | undefined;
  errors?: true | undefined;
}

/** Which page of a log to load, as REST takes it. `final`: without lines that another one replaced, states of progress bars. */
export interface LogQuery extends LogFilter {
  final?: true;
  since_sequence?: number;
  before_sequence?: number;
  limit?: number;
}

/** Sequences of lines up to `head`: all, where `stretch` is 1; else the first in each stretch of so many sequences. */
export interface LogMarksPage {
  places: number[];
  stretch: number;
  head: number;
}

export interface LogPage {
  logs: LogLine[];
  /** Where later lines are, as `since_sequence`: every line up to it was looked at. */
  next_sequence: number;
  /** Where earlier lines are, as `before_sequence`. */
  before_sequence: number;
  /** Whether there are more lines in the direction of the request. */
  has_more: boolean;
  /** The cursor could not be answered exactly: `oldest` is the first event that is kept. */
  resync?: { reason: string; oldest: number; head: number };
}
