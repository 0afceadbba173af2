import type { Status, Task } from "./types";

export interface TaskFilter {
  status?: string | undefined;
  job_type?: string | undefined;
  q?: string | undefined;
  scope?: "own" | "tenant" | "all" | undefined;
  /** The id of a user. */
  who?: string | undefined;
  /** When tasks were made, RFC 3339. */
  from?: string | undefined;
  to?: string | undefined;
  errors?: true | undefined;
  min_seconds?: string | undefined;
  max_seconds?: string | undefined;
  /** Without steps. */
  top?: true | undefined;
  parent_id?: string | undefined;
}

/** Someone whose tasks a list has; without a name where the reader may not know it. */
export interface Person {
  user_id: string;
  name: string | null;
}

/** How many tasks of a list were made in each hour or day, by the status that they have now. */
export interface TaskTimes {
  since: string;
  until: string;
  unit: "hour" | "day";
  /** Those in which tasks were made. */
  times: readonly { at: string; counts: Partial<Record<Status, number>> }[];
}

export interface TaskPage {
  tasks: Task[];
  /** The cursor of the older page. */
  next: string | null;
}
