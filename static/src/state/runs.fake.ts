import type { TaskPage } from "../client/taskLists";
import type { Status, StatusCounts, Task, TaskEvent } from "../client/types";
import type { UserSink } from "../client/watch";

const at = (minute: number): string => `2025-01-01T00:${String(minute).padStart(2, "0")}:00.000000Z`;

/** A run whose id and creation follow from its number: the larger, the newer. */
export function task(n: number, status: Status = "SUCCESS", more: Partial<Task> = {}): Task {
  return {
    task_id: `id-${String(n).padStart(3, "0")}`,
    user_id: "u",
    job_type: "job",
    title: `Run ${n}`,
    intent: null,
    params: { big: "x" },
    parent_id: null,
    retry_of: null,
    trigger: "manual",
    created_at: at(n),
    status,
    is_running: status === "STARTED",
    current_phase: null,
    current_phase_message: null,
    progress: 0,
    started_at: null,
    updated_at: at(n),
    finished_at: null,
    eta_seconds: null,
    result: null,
    error: null,
    retry_count: 0,
    attempt: 1,
    worker: null,
    progress_known: true,
    status_sequence: 1,
    ...more,
  };
}

/** A server with these runs, which answers when the test lets it, and the connection to it. */
export class FakeServer {
  tasks: Task[] = [];
  pageSize = 50;
  tally: StatusCounts = { counts: { PENDING: 0, WAITING: 0, STARTED: 0, RETRY: 0, SUCCESS: 0, FAILURE: 0, REVOKED: 0 }, sequence: 0, complete: true };
  failing: Error | null = null;
  /** An older page waits for this. */
  holding: Promise<void> = Promise.resolve();
  /** The first page waits for this. */
  slow: Promise<void> = Promise.resolve();
  asked: string[] = [];
  readonly sinks = new Set<UserSink>();
  readonly summaries = new Map<string, (event: TaskEvent) => void>();
  private sequence = 0;

  readonly api = {
    tasks: async (filter: { status?: string | undefined }, _limit: number, cursor?: string): Promise<TaskPage> => {
      this.asked.push(cursor ? `after ${cursor}` : "first");
      if (this.failing) throw this.failing;
      const all = this.tasks
        .filter(({ status }) => !filter.status || status === filter.status)
        .sort((one, other) => (one.task_id < other.task_id ? 1 : -1));
      const from = cursor ? all.findIndex(({ task_id }) => task_id === cursor) + 1 : 0;
      const tasks = all.slice(from, from + this.pageSize);
      if (cursor) await this.holding;
      else await this.slow;
      const more = from + this.pageSize < all.length;
      return { tasks, next: more ? (tasks.at(-1)?.task_id ?? null) : null };
    },
    counts: async (): Promise<StatusCounts> => {
      this.asked.push("counts");
      return structuredClone(this.tally);
    },
  };

  readonly connection = {
    user: (sink: UserSink) => {
      this.sinks.add(sink);
      sink.refresh();
      return { stop: () => void this.sinks.delete(sink) };
    },
    summary: (taskId: string, onEvent: (event: TaskEvent) => void) => {
      this.summaries.set(taskId, onEvent);
      return { stop: () => void this.summaries.delete(taskId) };
    },
  };

  /** An event of the user's own stream. */
  emit(type: string, fields: Record<string, unknown>): void {
    const event = { type, stream: "user:u", sequence: ++this.sequence, timestamp: at(59), ...fields };
    for (const sink of this.sinks) sink.event(event);
  }

  /** A run is started. */
  start(n: number): void {
    this.tasks.push(task(n, "PENDING"));
    this.emit("task_created", { task_id: task(n).task_id, status: "PENDING", parent_id: null });
  }
}
