import type { RelatedRun } from "./related";
import type { Status } from "./types";

/** Returns the name of a job type as a part of a path; reporters may have slashes in it. */
export const jobPath = (jobType: string): string => jobType.split("/").map(encodeURIComponent).join("/");

/** How many runs ended how. */
export type EndCounts = Partial<Record<"SUCCESS" | "FAILURE" | "REVOKED", number>>;

export interface ErrorCount {
  type: string;
  /** `file:function`, the last call of the run's own code. */
  place: string | null;
  number: number;
  last_at: string;
  /** The last run that it ended; null when it was removed. */
  task_id: string | null;
  message: string | null;
}

interface Ends {
  counts: EndCounts;
  /** Failures among failures and successes, 0 to 1; null without any. */
  failure_rate: number | null;
}

/** How the runs of the last day, or of the last week, ended, and those of the time before. */
export interface Rate extends Ends {
  before: Ends;
}

/** How many runs have not ended, by status. */
export type OpenCounts = Partial<Record<Status, number>>;

/** A job type in the list of all. */
export interface JobRow {
  job_type: string;
  day: Rate;
  week: Rate;
  /** Of the successes of the week. */
  duration: { p50: number | null; p95: number | null };
  open: OpenCounts;
  /** The newest that have begun, the last one first. */
  runs: readonly RelatedRun[];
}

export interface JobPage {
  jobs: readonly JobRow[];
  next: string | null;
  /** False when there are more open runs than were counted. */
  complete: boolean;
}

export interface PhaseMedian {
  phase_id: string;
  median_seconds: number;
  p95_seconds: number;
  runs: number;
}

/** What the runs of a job type were like that ended between `since` and `until`. */
export interface JobStats extends Ends {
  job_type: string;
  since: string;
  until: string;
  /** Of `times`, in which only those are in which runs ended. */
  unit: "hour" | "day";
  day: Rate;
  week: Rate;
  open: OpenCounts;
  complete: boolean;
  duration: { p50: number | null; p95: number | null };
  times: readonly { at: string; counts: EndCounts }[];
  errors: readonly ErrorCount[];
  phases: readonly PhaseMedian[];
  runs: readonly RelatedRun[];
}
