import type { Status } from "./types";

/** A file that a run has saved. */
export interface OutputFile {
  name: string;
  size: number;
  content_type: string;
  attempt: number;
  created_at: string;
}

/** A run beside another one, as lists of related runs have it. */
export interface RelatedRun {
  task_id: string;
  title: string;
  status: Status;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  retry_of: string | null;
  again_of: string | null;
}
