import type { Access } from "./access";
import { isRetry } from "./logLine";
import type { LogFilter, LogLine, LogMarksPage, LogPage, LogQuery } from "./logTypes";
import type { NewShare, ShareList } from "./shares";
import { jobPath, type JobPage, type JobStats } from "./jobStats";
import type { OutputFile, RelatedRun } from "./related";
import type { ApiKeyPage, NewApiKey, Scope } from "./apiKeys";
import type { Person, TaskFilter, TaskPage, TaskTimes } from "./taskLists";
import type { TreePage } from "./tree";
import type {
  BrokenFile,
  DecidedApproval,
  EventPage,
  JobType,
  NotificationPage,
  Snapshot,
  StatusCounts,
  TaskEvent,
  ActiveState,
} from "./types";

const BASE = "/api/v2";
const WARNINGS = 1_000;

/** An event as REST returns it: its payload is under `data`. */
type StoredEvent = Pick<TaskEvent, "type" | "sequence"> & { data: Record<string, unknown> };

interface StartBody {
  job_type: string;
  params: unknown;
  title?: string;
  approval?: unknown;
  /** The run with whose parameters this one is started. */
  again_of?: string;
}

export interface KeyBody {
  name: string;
  scopes: readonly Scope[];
  /** Seconds; null: the key does not expire. */
  expires_in: number | null;
  /** Left out: the user's own. */
  tenant?: string;
}

interface NotificationFilter {
  unread?: boolean | undefined;
  cursor?: string | undefined;
}

/** The REST calls of the dashboard, one method each. All throw Problem. */
export class Api {
  constructor(private readonly session: Access) {}

  jobTypes(): Promise<{ job_types: JobType[]; broken?: BrokenFile[] }> {
    return this.get("/jobs/types");
  }

  /** What the runs of a job type were like; `window` is a time such as "7d". */
  jobStats(jobType: string, window: string, scope: TaskFilter["scope"]): Promise<JobStats> {
    return this.get(`/jobs/${jobPath(jobType)}/stats?${query({ window, scope })}`);
  }

  /** All job types whose name contains `q`, what needs a look first. */
  jobs(scope: TaskFilter["scope"], q: string, limit: number, cursor?: string): Promise<JobPage> {
    return this.get(`/jobs/stats?${query({ scope, q, limit, cursor })}`);
  }

  /** Newest first. */
  tasks(filter: TaskFilter, limit: number, cursor?: string): Promise<TaskPage> {
    return this.get(`/tasks?${query({ limit, cursor, ...filter })}`);
  }

  /** How many tasks of the list have which status. */
  counts(filter: Omit<TaskFilter, "status">): Promise<StatusCounts> {
    return this.get(`/tasks/counts?${query({ ...filter })}`);
  }

  /** The job types that the tasks of the list have, also those that no worker declares. */
  taskTypes(scope: TaskFilter["scope"]): Promise<string[]> {
    return this.get<{ job_types: string[] }>(`/tasks/types?${query({ scope })}`).then((answer) => answer.job_types);
  }

  /** The users whose tasks the list has, by name. */
  people(scope: TaskFilter["scope"]): Promise<Person[]> {
    return this.get<{ people: Person[] }>(`/tasks/people?${query({ scope })}`).then((answer) => answer.people);
  }

  /** When the tasks of the list were made. */
  histogram(filter: Pick<TaskFilter, "scope" | "who" | "job_type" | "top" | "from" | "to">): Promise<TaskTimes> {
    return this.get(`/tasks/histogram?${query({ ...filter })}`);
  }

  active(): Promise<ActiveState | null> {
    return this.get<{ active: ActiveState | null }>("/agent/active").then((answer) => answer.active);
  }

  /** Starts a run. The same key with the same body starts it once, so a request without an answer may be repeated. */
  start(body: StartBody, key: string): Promise<{ task_id: string }> {
    return this.session.call("POST", `${BASE}/agent/start`, body, { "Idempotency-Key": key });
  }

  snapshot(taskId: string): Promise<Snapshot> {
    return this.get(`${task(taskId)}/status`);
  }

  /** Every event after `sequence`, oldest first. */
  async eventsAfter(taskId: string, sequence: number, limit = 1_000): Promise<EventPage> {
    const path = `${task(taskId)}/events?${query({ since_sequence: sequence, limit })}`;
    const page = await this.get<Omit<EventPage, "events"> & { events: StoredEvent[] }>(path);
    const events = page.events.map(({ type, sequence, data }): TaskEvent => ({ ...data, type, sequence }));
    return { ...page, events };
  }

  logs(taskId: string, page: LogQuery): Promise<LogPage> {
    return this.get(`${task(taskId)}/logs?${query({ ...page })}`);
  }

  /** Where the log has errors or warnings. */
  logMarks(taskId: string, of: "errors" | "warnings"): Promise<LogMarksPage> {
    return this.get(`${task(taskId)}/logs/marks?${query({ of })}`);
  }

  /** The lines of the retries among the newest warnings, oldest first. */
  retries(taskId: string): Promise<LogLine[]> {
    return this.logs(taskId, { level: "WARNING", limit: WARNINGS }).then(({ logs }) => logs.filter(isRetry));
  }

  cancel(taskId: string): Promise<void> {
    return this.session.call("POST", `${BASE}${task(taskId)}/cancel`);
  }

  retry(taskId: string): Promise<{ task_id: string; retry_of?: string }> {
    return this.session.call("POST", `${BASE}${task(taskId)}/retry`);
  }

  /** `reason`: why it is rejected. */
  decide(taskId: string, approved: boolean, reason?: string): Promise<void> {
    const body = reason ? { reason } : undefined;
    return this.session.call("POST", `${BASE}${task(taskId)}/${approved ? "approve" : "reject"}`, body);
  }

  /** The approvals that the task has asked for, oldest first. */
  approvals(taskId: string): Promise<DecidedApproval[]> {
    return this.get<{ approvals: DecidedApproval[] }>(`${task(taskId)}/approvals`).then((answer) => answer.approvals);
  }

  /** The name of the task's owner; null where the reader may not know it. */
  owner(taskId: string): Promise<string | null> {
    return this.get<{ owner: string | null }>(`${task(taskId)}/owner`).then(({ owner }) => owner);
  }

  /** The next children of the task and what is below them; on the first page also how all that is below it gets on.
   * `failed`: only children that failed. */
  tree(taskId: string, cursor?: string, failed = false): Promise<TreePage> {
    return this.get(`${task(taskId)}/tree?${query({ cursor, failed: failed || undefined })}`);
  }

  /** The task and runs of its job type before it, newest first, with the last one that succeeded. */
  earlier(taskId: string): Promise<RelatedRun[]> {
    return this.get<{ runs: RelatedRun[] }>(`${task(taskId)}/earlier`).then((answer) => answer.runs);
  }

  /** The newest runs that were started again from the task. */
  again(taskId: string): Promise<RelatedRun[]> {
    return this.get<{ runs: RelatedRun[] }>(`${task(taskId)}/again`).then((answer) => answer.runs);
  }

  /** The files that the task has saved, by name. */
  outputs(taskId: string): Promise<OutputFile[]> {
    return this.get<{ outputs: OutputFile[] }>(`${task(taskId)}/outputs`).then((answer) => answer.outputs);
  }

  /** How many viewers the task has now. */
  viewers(taskId: string): Promise<number> {
    return this.get<{ viewers: number }>(`${task(taskId)}/viewers`).then((answer) => answer.viewers);
  }

  /** [sequence, timestamp] of evenly spaced events, oldest first. */
  throughput(taskId: string): Promise<[number, string][]> {
    return this.get<{ points: [number, string][] }>(`${task(taskId)}/throughput`).then((answer) => answer.points);
  }

  notifications(filter: NotificationFilter, limit: number): Promise<NotificationPage> {
    return this.get(`/notifications?${query({ limit, unread: filter.unread ? "true" : undefined, cursor: filter.cursor })}`);
  }

  unreadCount(): Promise<number> {
    return this.get<{ unread_count: number }>("/notifications/unread-count").then((answer) => answer.unread_count);
  }

  /** Marks one notification as read; null: all. */
  markRead(id: string | null): Promise<void> {
    const which = id === null ? "read-all" : `${encodeURIComponent(id)}/read`;
    return this.session.call("POST", `${BASE}/notifications/${which}`);
  }

  /** Newest first; `tenant`: those of the user's tenant, for its admins. */
  keys(scope: "own" | "tenant", cursor?: string): Promise<ApiKeyPage> {
    return this.get(`/keys?${query({ scope, cursor, limit: 200 })}`);
  }

  makeKey(body: KeyBody): Promise<NewApiKey> {
    return this.session.call("POST", `${BASE}/keys`, body);
  }

  revokeKey(id: string): Promise<void> {
    return this.session.call("DELETE", `${BASE}/keys/${encodeURIComponent(id)}`);
  }

  /** Newest first; those that the user may revoke. */
  shares(taskId: string): Promise<ShareList> {
    return this.get(`${task(taskId)}/shares`);
  }

  /** `expiresIn` in seconds. */
  share(taskId: string, expiresIn: number): Promise<NewShare> {
    return this.session.call("POST", `${BASE}${task(taskId)}/share`, { expires_in: expiresIn });
  }

  revokeShare(taskId: string, id: string): Promise<void> {
    return this.session.call("DELETE", `${BASE}${task(taskId)}/shares/${encodeURIComponent(id)}`);
  }

  private get<T>(path: string): Promise<T> {
    return this.session.call<T>("GET", BASE + path);
  }
}

const task = (taskId: string): string => `/tasks/${encodeURIComponent(taskId)}`;

/** Returns the address of a log as a file, for a link: the whole log, or the lines that pass the filter. */
export const logDownload = (taskId: string, format: "text" | "ndjson", filter: LogFilter = {}): string =>
  `${BASE}${task(taskId)}/logs/download?${query({ format, ...filter })}`;

/** Returns the address of an output, for a link. */
export const outputDownload = (taskId: string, name: string): string =>
  `${BASE}${task(taskId)}/outputs/${encodeURIComponent(name)}`;

/** Returns the address of the snapshot, for a link. */
export const rawSnapshot = (taskId: string): string => `${BASE}${task(taskId)}/status`;

function query(values: Record<string, string | number | true | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  return search.toString();
}
