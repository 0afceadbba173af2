/** What only runs have that others execute and report; null of runs that are older than these fields. */
export interface Observed {
  observed?: boolean | null;
  /** Whether its reporter can start it again. */
  can_retry?: boolean | null;
  queue?: string | null;
  root_id?: string | null;
  group_id?: string | null;
}
