import type { Access } from "./access";
import { jobPath } from "./jobStats";
import type { Status } from "./types";

/** Who stopped a queue or a worker from taking more. */
export interface Hold {
  /** An e-mail address; null for that of another tenant. */
  by: string | null;
  since: string;
}

interface FleetTask {
  task_id: string;
  title: string;
  job_type: string;
}

export interface RunningTask extends FleetTask {
  started_at: string | null;
}

export interface LostTask extends FleetTask {
  /** As it is now: it may run again. */
  status: Status;
  lost_at: string;
}

interface Reported {
  name: string;
  /** Of Taskroom itself, and not of a project that reports. */
  own: boolean;
  /** The name of the API key that reports it. */
  reporter: string | null;
  seen_at: string;
  alive: boolean;
}

export interface Worker extends Reported {
  host: string | null;
  pid: number | null;
  pool: string | null;
  slots: number | null;
  queues: readonly string[];
  memory_bytes: number | null;
  versions: Readonly<Record<string, string>>;
  /** How many tasks it runs, whoever may read them; `tasks` describes some of them. Of one that is gone, how many it ran that
   *  have not ended and are not lost yet. */
  busy: number;
  tasks: readonly RunningTask[];
  /** What was lost with it or one of its processes within a day, the newest first. */
  lost: readonly LostTask[];
  drained: Hold | null;
  since: string;
}

export interface Queue extends Reported {
  /** What the broker said, or `known_waiting` when that is more or the queue is not reported any more. */
  depth: number;
  known_waiting: number;
  oldest_wait_seconds: number | null;
  /** How many workers take from it, how many slots these have, and how many tasks they run. */
  consumers: number;
  /** When the last worker was heard. Null while one is alive, and where none of the last day is known. */
  no_worker_since: string | null;
  slots: number;
  busy: number;
  workers: readonly string[];
  paused: Hold | null;
}

/** What a beat sends again and again. */
export interface Schedule extends Reported {
  /** The task that is sent. */
  job_type: string;
  /** When: "every 5 min", or the fields of cron. */
  schedule: string;
  last_run_at: string | null;
  last_task_id: string | null;
  /** Null while nothing is known of that run. */
  last_status: Status | null;
  last_error: string | null;
  /** In the past: it is overdue. */
  next_run_at: string | null;
}

/** Why a run waits for a worker; docs/protocol.md says which reason has which of the fields. */
export interface Queued {
  queue: string;
  reason: "later" | "paused" | "drained" | "no_worker" | "taken" | "at_cap" | "queued";
  due_at?: string;
  hold?: Hold;
  seen_at?: string | null;
  worker?: string;
  alive?: boolean;
  running?: number;
  most?: number;
  /** From 1; null: far behind. */
  position?: number | null;
  depth?: number | null;
  slots?: number;
  busy?: number;
}

interface Page {
  next: string | null;
}

const BASE = "/api/v2";
const PAGE = 200;
/** More rows than these nobody looks through. */
const MOST_PAGES = 5;

/** The calls about what works and what waits. All throw Problem. */
export class FleetApi {
  constructor(private readonly session: Access) {}

  workers(): Promise<Worker[]> {
    return this.all<Worker, "workers">("workers");
  }

  queues(): Promise<Queue[]> {
    return this.all<Queue, "queues">("queues");
  }

  schedules(): Promise<Schedule[]> {
    return this.all<Schedule, "schedules">("schedules");
  }

  /** Lets nothing more be claimed from a queue, or lets it go on. */
  pause(queue: string, paused: boolean): Promise<void> {
    return this.session.call(paused ? "PUT" : "DELETE", `${BASE}/queues/${jobPath(queue)}/pause`);
  }

  /** Lets a worker claim nothing more, or lets it claim again. */
  drain(worker: string, drained: boolean): Promise<void> {
    return this.session.call(drained ? "PUT" : "DELETE", `${BASE}/workers/${jobPath(worker)}/drain`);
  }

  /** Null for a run that waits for no worker. */
  queued(taskId: string): Promise<Queued | null> {
    return this.session.call<{ queued: Queued | null }>("GET", `${BASE}/tasks/${encodeURIComponent(taskId)}/queued`).then(({ queued }) => queued);
  }

  private async all<Row, Name extends string>(name: Name): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
      const found: Page & Record<Name, Row[]> = await this.session.call("GET", `${BASE}/${name}?${query}`);
      rows.push(...found[name]);
      cursor = found.next;
      if (cursor === null) break;
    }
    return rows;
  }
}
