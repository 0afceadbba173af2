import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { fold } from "../client/fold";
import { logLineOf } from "../client/logLine";
import type { Approval, LogLine, Snapshot, TaskEvent, TaskState } from "../client/types";
import type { Connection, Progress, TaskWatch } from "../client/watch";
import { approvalAfter } from "./approval";
import { Frames } from "./frames";
import { LogStore } from "./log";
import type { LoadLog, LoadMarks } from "./log-source";

/** More events at once than a reader can follow. */
const MUCH = 25;

type Item = { snapshot: Snapshot } | { event: TaskEvent };

/** The state of a run page. Events are applied once a frame, whatever their rate. */
export class Run {
  readonly state = signal<TaskState | null>(null);
  /** The approval that the task waits for. */
  readonly approval = signal<Approval | null>(null);
  /** Changes when the run has saved an output, or may have. */
  readonly outputs = signal(0);
  readonly progress = signal<Progress>({ kind: "loading" });
  readonly log: LogStore;
  readonly load: LoadLog;
  readonly loadMarks: LoadMarks;

  private queue: Item[] = [];
  private readonly frames = new Frames(() => this.apply());
  private readonly watch: TaskWatch;

  constructor(
    readonly taskId: string,
    api: Api,
    connection: Connection,
  ) {
    this.load = (query) => api.logs(taskId, { ...query, final: true });
    this.loadMarks = (of) => api.logMarks(taskId, of);
    this.log = new LogStore(this.load);
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

  /** Returns whether there was much to apply. */
  private apply(): boolean {
    const queue = this.queue;
    this.queue = [];
    let state = this.state.value;
    let approval = this.approval.value;
    let lines: LogLine[] = [];
    const { log } = this;
    for (const item of queue) {
      if ("snapshot" in item) {
        const { task, phases, sections, sequence, recent_logs } = item.snapshot;
        if (state) log.append(lines, state.sequence);
        lines = [];
        log.restart(recent_logs, sequence);
        state = { task, phases, sections: sections ?? [], sequence };
        approval = item.snapshot.approval;
        this.outputs.value++;
      } else if (state) {
        state = fold(state, item.event);
        approval = approvalAfter(approval, item.event, state);
        if (item.event.type === "output") this.outputs.value++;
        const line = logLineOf(item.event);
        if (line) lines.push(line);
      }
    }
    if (state && queue.length) log.append(lines, state.sequence);
    this.state.value = state;
    this.approval.value = approval;
    this.progress.value = this.watch.progress;
    return queue.length > MUCH;
  }
}
