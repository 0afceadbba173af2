import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { Session } from "../client/session";
import { socketWire } from "../client/socket";
import { sseWire } from "../client/sse";
import { TaskStream, type Connection } from "../client/stream";
import type { LogLine, Snapshot, TaskEvent, TaskState } from "../client/types";
import { fold } from "./fold";
import { Frames } from "./frames";
import { LogStore } from "./log";

type Item = { snapshot: Snapshot } | { event: TaskEvent };

/** What a run page shows of one task. Events are applied a frame at a time, whatever their rate. */
export class Run {
  readonly state = signal<TaskState | null>(null);
  readonly connection = signal<Connection>({ kind: "connecting" });
  readonly log: LogStore;

  private queue: Item[] = [];
  private readonly frames = new Frames(() => this.apply());
  private readonly stream: TaskStream;
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly taskId: string,
    api: Api,
    session: Session,
  ) {
    this.log = new LogStore((query) => api.logs(taskId, query));
    const put = (item: Item): void => {
      this.queue.push(item);
      this.frames.request();
    };
    this.stream = new TaskStream(
      taskId,
      {
        snapshot: () => api.snapshot(taskId),
        renew: () => session.renew(),
        wires: [socketWire(() => session.token), sseWire],
      },
      {
        snapshot: (snapshot) => put({ snapshot }),
        event: (event) => put({ event }),
        connection: () => this.frames.request(),
      },
    );
    let token = session.token;
    this.stops.push(
      session.listen(() => {
        if (session.token && session.token !== token) this.stream.token((token = session.token));
      }),
    );
    // EventSource does not notice a network that went, and the page must not say live meanwhile.
    for (const change of ["offline", "online"]) this.on(window, change, () => this.stream.reopen());
    this.on(document, "visibilitychange", () => document.hidden || this.stream.retryNow());
    this.stream.start();
  }

  stop(): void {
    this.stream.stop();
    this.frames.cancel();
    for (const stop of this.stops) stop();
  }

  retryNow(): void {
    this.stream.retryNow();
  }

  private apply(): void {
    const queue = this.queue;
    this.queue = [];
    let state = this.state.value;
    let lines: LogLine[] = [];
    for (const item of queue) {
      if ("snapshot" in item) {
        const { task, phases, sequence, recent_logs } = item.snapshot;
        if (state) this.log.append(lines, state.sequence);
        lines = [];
        this.log.restart(recent_logs, sequence);
        state = { task, phases, sequence };
      } else if (state) {
        state = fold(state, item.event);
        if (item.event.type === "log") lines.push(item.event as unknown as LogLine);
      }
    }
    if (state) this.log.append(lines, state.sequence);
    this.state.value = state;
    this.connection.value = this.stream.connection;
  }

  private on(target: EventTarget, type: string, handle: () => void): void {
    target.addEventListener(type, handle);
    this.stops.push(() => target.removeEventListener(type, handle));
  }
}
