import type { RelatedRun } from "./related";

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

export interface PhaseMedian {
  phase_id: string;
  median_seconds: number;
  runs: number;
}

/** What the runs of a job type were like that ended between `since` and `until`. */
export interface JobStats {
  job_type: string;
  since: string;
  until: string;
  /** Of `times`, in which only those are in which runs ended. */
  unit: "hour" | "day";
  counts: EndCounts;
  failure_rate: number | null;
  duration: { p50: number | null; p95: number | null };
  times: readonly { at: string; counts: EndCounts }[];
  errors: readonly ErrorCount[];
  phases: readonly PhaseMedian[];
  runs: readonly RelatedRun[];
}
