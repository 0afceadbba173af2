import type { Api } from "./api";
import { Question } from "./question";
import type { Rooms, Watched } from "./rooms";
import { isTerminal, type Snapshot, type TaskEvent } from "./types";
import type { TaskSink } from "./watch";

const TYPES = ["task_status", "phase_update", "phase_complete"];

/** Hands on what shows where a task stands: of the task and of each phase never an older word after a newer one. */
export class Standing implements TaskSink {
  private readonly last = new Map<unknown, number>();

  constructor(private readonly heard: (event: TaskEvent) => void) {}

  snapshot({ task, phases, sequence }: Snapshot): void {
    this.event({ ...task, type: "task_status", timestamp: task.updated_at, sequence });
    for (const phase of phases) this.event({ ...phase, type: "phase_update", timestamp: phase.updated_at, sequence });
  }

  event(event: TaskEvent): void {
    if (!TYPES.includes(event.type)) return;
    const of = event.type === "task_status" ? null : event.phase_id;
    if (event.sequence <= (this.last.get(of) ?? -1)) return;
    this.last.set(of, event.sequence);
    this.heard(event);
  }

  progress(): void {
    // Nobody shows it.
  }
}

/** A task of which only the standing is watched: no snapshot and no log lines where the wire can do without. */
export class StandingRoom implements Watched {
  readonly name: string;
  readonly types = TYPES;
  readonly rank = 0;
  ready = true;
  cursor: number | null = null;
  /** It has ended before anything was stated; only the snapshot can tell how. */
  private unstated = false;
  private readonly asking: Question<Snapshot>;

  constructor(
    taskId: string,
    api: Pick<Api, "snapshot">,
    private readonly rooms: Rooms,
    private readonly sink: TaskSink,
  ) {
    this.name = `task:${taskId}`;
    this.asking = new Question(
      () => api.snapshot(taskId),
      (snapshot) => this.stated(snapshot),
      () => this.refused(),
    );
  }

  joined(_head: number, from: number | null): void {
    if (this.cursor === null && from !== null) void this.asking.hurry();
  }

  event(event: TaskEvent): void {
    this.cursor = Math.max(this.cursor ?? 0, event.sequence);
    this.sink.event(event);
  }

  resync(): void {
    this.cursor = null;
    this.rooms.rejoin(this);
  }

  ended(): void {
    if (this.cursor !== null) return this.over();
    this.unstated = true;
    this.ready = false;
    this.rooms.settle();
    void this.asking.hurry();
  }

  refused(): void {
    this.over();
  }

  left(): void {
    if (!this.unstated) this.asking.stop();
  }

  /** It begins when it is joined. */
  resume(): void {
    if (this.unstated) void this.asking.hurry();
  }

  pause(): void {
    this.asking.stop();
  }

  poll(): Promise<void> {
    return this.asking.hurry();
  }

  private stated(snapshot: Snapshot): void {
    this.cursor = Math.max(this.cursor ?? 0, snapshot.sequence);
    this.sink.snapshot(snapshot);
    if (isTerminal(snapshot.task.status)) return this.over();
    if (!this.unstated) return;
    // It was asked for before the end, which comes after it.
    this.unstated = false;
    this.ready = true;
    this.rooms.settle();
  }

  private over(): void {
    this.ready = this.unstated = false;
    this.left();
    this.rooms.settle();
  }
}
