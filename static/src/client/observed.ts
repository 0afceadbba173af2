/** What only runs have that others execute and report; null of runs that are older than these fields. */
export interface Observed {
  observed?: boolean | null;
  /** Whether its reporter can start it again. */
  can_retry?: boolean | null;
  queue?: string | null;
  root_id?: string | null;
  group_id?: string | null;
}

/** What is below a run, at any depth. `failures` are the newest of those that failed. */
export interface Below {
  tasks: number;
  open: number;
  failed: number;
  failures: readonly FailureBelow[];
  /** Whether all were counted. */
  complete: boolean;
}

interface FailureBelow {
  task_id: string;
  title: string;
  job_type: string;
  message: string;
}
