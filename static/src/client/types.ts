/** What the server sends, named as in docs/protocol.md. Times are RFC 3339, durations seconds, progress 0–100. */

import type { LogLine, LogSection } from "./logTypes";
import type { Observed } from "./observed";

export type { LogFilter, LogLine, LogMarksPage, LogPage, LogQuery, LogSection } from "./logTypes";
export type { Notification, NotificationPage, Severity } from "./notificationTypes";

export const STATUSES = ["PENDING", "WAITING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"] as const;
export type Status = (typeof STATUSES)[number];

const TERMINAL: readonly unknown[] = ["SUCCESS", "FAILURE", "REVOKED"];
export const isTerminal = (status: unknown): boolean => TERMINAL.includes(status);

export interface TaskError {
  type: string;
  message: string;
  traceback?: string | null;
  /** The phase in which it came; not there when it came between phases. */
  phase?: string;
  source?: SourceLines;
}

/** Where a run's own code failed, with the lines around it: `first_line` is the number of the first of them. */
export interface SourceLines {
  file: string;
  line: number;
  function: string | null;
  first_line: number;
  lines: readonly string[];
}

export interface Task extends Observed {
  task_id: string;
  user_id: string;
  job_type: string;
  title: string;
  intent: string | null;
  params: Record<string, unknown> | null;
  parent_id: string | null;
  /** The ended run for which this one stands in. */
  retry_of: string | null;
  /** The run with whose parameters, perhaps changed, somebody started this one; not there of runs that are older than the field. */
  again_of?: string | null;
  trigger: string | null;
  created_at: string;
  status: Status;
  is_running: boolean;
  current_phase: string | null;
  current_phase_message: string | null;
  progress: number | null;
  started_at: string | null;
  updated_at: string | null;
  finished_at: string | null;
  eta_seconds: number | null;
  result: unknown;
  error: TaskError | null;
  retry_count: number;
  attempt: number;
  worker: string | null;
  /** False where `progress` means nothing; null of runs that are older than this field. */
  progress_known: boolean | null;
  /** In lists only the shares of its phases. */
  plan?: readonly PlannedPhase[] | null;
  /** Not in lists. */
  usual?: Usual | null;
  attempt_started_at?: string | null;
  status_sequence: number;
  /** In lists only: how many of the tasks below it failed, as of the answer. */
  failed_below?: number;
  /** In lists only: how many of these wait for approval, and how many there are, 100 at most. */
  waiting_below?: number;
  tasks_below?: number;
  /** In lists only: how many items it could not do, and how many lines of its log are errors, 100 at most. */
  error_count?: number;
  error_lines?: number;
  /** In lists only: its user by e-mail; null where the reader may not know it. */
  owner?: string | null;
  /** In lists only: its first phases, unless it succeeded. */
  phases?: readonly ListedPhase[];
}

/** A phase as lists have it. */
export type ListedPhase = Pick<Phase, "phase_id" | "status" | "processed_count" | "total_count" | "error_count" | "started_at" | "updated_at" | "duration_seconds">;

/** What a run is expected to do, fixed when it begins. */
export interface PlannedPhase {
  phase_id: string;
  /** Its share of the whole: all of them are 1. */
  weight: number;
  /** The median of earlier runs; not in lists. */
  seconds?: number | null;
}

/** How long so many earlier runs took as a whole: the median and the 95th percentile. */
export interface Usual {
  runs: number;
  seconds: number;
  p95_seconds: number;
}

export interface Phase {
  phase_id: string;
  status: "active" | "in_progress" | "completed" | "error";
  message: string;
  processed_count: number;
  total_count: number | null;
  error_count: number;
  eta_seconds: number | null;
  started_at: string | null;
  updated_at: string;
  duration_seconds: number | null;
  /** When it had done half of its items, counted from its begin. */
  half_seconds?: number | null;
  sequence: number;
}

export interface TaskState {
  task: Task;
  phases: readonly Phase[];
  /** Left out where nobody shows them, as in lists. */
  sections?: readonly LogSection[];
  sequence: number;
}

/** The user's newest unfinished task. */
export interface ActiveState extends TaskState {
  /** How many of the first 100 tasks below it wait for approval. */
  waiting_below: number;
}

/** The decision that a task waits for. `key` distinguishes several of one task. */
export interface Approval {
  key: string;
  title: string;
  risk_level: "low" | "medium" | "high" | "critical";
  estimated_cost: number;
}

/** A decision that a task asked for, and the answer. */
export interface DecidedApproval extends Approval {
  asked_at: string;
  decided_at: string | null;
  approved: boolean | null;
  decided_by: string | null;
}

export interface Snapshot extends TaskState {
  recent_logs: LogLine[];
  approval: Approval | null;
}

export interface EventPage {
  events: TaskEvent[];
  next_sequence: number;
  has_more: boolean;
  /** Present when the cursor could not be answered exactly. */
  resync?: unknown;
}

/** One numbered event of a stream: its payload and, under `type`, its Socket.IO name or SSE `event:` field. */
export interface TaskEvent {
  type: string;
  sequence: number;
  [field: string]: unknown;
}

export interface User {
  id: string | number;
  email: string;
  role: string;
  tenant: string | null;
}

/** How many tasks have which status, as of `sequence` of the user's own stream. */
export interface StatusCounts {
  counts: Record<Status, number>;
  /** How many wait for approval, or have a task below that does; not there of servers that are older than the field. */
  approval?: number;
  sequence: number;
  /** Whether all were counted. */
  complete: boolean;
}

/** The part of JSON Schema that a job's parameters use. */
export interface Schema {
  type?: string | string[];
  format?: string;
  writeOnly?: boolean;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  additionalProperties?: unknown;
  required?: string[];
  items?: Schema;
  /** Of the first items, where they have schemas of their own; the others have that of `items`. */
  prefixItems?: Schema[];
  minItems?: number;
  maxItems?: number;
}

export interface JobType {
  job_type: string;
  title: string;
  description: string;
  params: Schema;
  phases: string[];
  /** The files that a run saves, each with what it is; not there of servers that are older than the field. */
  outputs?: Readonly<Record<string, string>>;
}

/** A job file of the server that cannot be imported. */
export interface BrokenFile {
  file: string;
  error: string;
}
