import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { fold } from "../client/fold";
import { Problem } from "../client/http";
import type { Approval, LogLine, Snapshot, TaskEvent, TaskState } from "../client/types";
import type { Connection, Progress, TaskWatch } from "../client/watch";
import { approvalAfter } from "./approval";
import { Frames } from "./frames";
import { LogBuffer } from "./log";

type Item = { snapshot: Snapshot } | { event: TaskEvent };
type Earlier = { kind: "idle" } | { kind: "loading" } | { kind: "failed"; problem: Problem };

/** Where the lines of a run go, a frame at a time. */
export interface LogSink {
  /** Lines that follow; every event up to the sequence `upTo` is applied. */
  append(lines: readonly LogLine[], upTo: number): void;
  /** A snapshot's newest lines; what was between may be missing here. */
  restart(recent: readonly LogLine[], sequence: number): void;
}

/** What a run page shows of one task. Events are applied a frame at a time, whatever their rate. */
export class Run {
  readonly state = signal<TaskState | null>(null);
  /** What the task waits for now. */
  readonly approval = signal<Approval | null>(null);
  readonly progress = signal<Progress>({ kind: "loading" });
  readonly log = new LogBuffer();
  /** Rises with every change of `log`. */
  readonly logVersion = signal(0);
  readonly earlier = signal<Earlier>({ kind: "idle" });

  private queue: Item[] = [];
  private readonly frames = new Frames(() => this.apply());
  private readonly watch: TaskWatch;

  constructor(
    readonly taskId: string,
    private readonly api: Api,
    private readonly connection: Connection,
  ) {
    const put = (item: Item): void => {
      this.queue.push(item);
      this.frames.request();
    };
    this.watch = connection.task(taskId, {
      snapshot: (snapshot) => put({ snapshot }),
      event: (event) => put({ event }),
      progress: () => this.frames.request(),
    });
  }

  stop(): void {
    this.watch.stop();
    this.frames.cancel();
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  async loadEarlier(): Promise<void> {
    const first = this.log.first;
    if (first === null || this.earlier.value.kind === "loading") return;
    this.earlier.value = { kind: "loading" };
    try {
      const page = await this.api.logsBefore(this.taskId, first);
      // Lines may have been dropped or replaced meanwhile; the page would then leave a hole.
      if (this.log.first === first) this.log.prepend(page);
      this.logVersion.value++;
      this.earlier.value = { kind: "idle" };
    } catch (error) {
      this.earlier.value = { kind: "failed", problem: Problem.of(error) };
    }
  }

  private apply(): void {
    const queue = this.queue;
    this.queue = [];
    let state = this.state.value;
    let approval = this.approval.value;
    let lines: LogLine[] = [];
    const log: LogSink = this.log;
    const before = this.log.first;
    let restarted = false;
    for (const item of queue) {
      if ("snapshot" in item) {
        const { task, phases, sequence, recent_logs } = item.snapshot;
        if (state) log.append(lines, state.sequence);
        lines = [];
        log.restart(recent_logs, sequence);
        restarted = true;
        state = { task, phases, sequence };
        approval = item.snapshot.approval;
      } else if (state) {
        state = fold(state, item.event);
        approval = approvalAfter(approval, item.event, state);
        if (item.event.type === "log") lines.push(item.event as unknown as LogLine);
      }
    }
    if (state && queue.length) log.append(lines, state.sequence);
    this.state.value = state;
    this.approval.value = approval;
    this.progress.value = this.watch.progress;
    if (restarted || lines.length) this.logVersion.value++;
    // A snapshot brings a screenful; one more page tells whether there is anything before it.
    if (restarted && this.log.first !== before && this.log.hasEarlier) void this.loadEarlier();
  }
}
