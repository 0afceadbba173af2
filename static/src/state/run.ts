import { signal } from "@preact/signals";
import type { Api } from "../client/api";
import { Problem } from "../client/http";
import type { Session } from "../client/session";
import { socketWire } from "../client/socket";
import { sseWire } from "../client/sse";
import { TaskStream, type Connection } from "../client/stream";
import type { LogLine, Snapshot, TaskEvent, TaskState } from "../client/types";
import { fold } from "./fold";
import { Frames } from "./frames";
import { LogBuffer } from "./log";

type Item = { snapshot: Snapshot } | { event: TaskEvent };
type Earlier = { kind: "idle" } | { kind: "loading" } | { kind: "failed"; problem: Problem };

/** What a run page shows of one task. Events are applied a frame at a time, whatever their rate. */
export class Run {
  readonly state = signal<TaskState | null>(null);
  readonly connection = signal<Connection>({ kind: "connecting" });
  readonly log = new LogBuffer();
  /** Rises with every change of `log`. */
  readonly logVersion = signal(0);
  readonly earlier = signal<Earlier>({ kind: "idle" });

  private queue: Item[] = [];
  private readonly frames = new Frames(() => this.apply());
  private readonly stream: TaskStream;
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly taskId: string,
    private readonly api: Api,
    session: Session,
  ) {
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
    let lines: LogLine[] = [];
    let logged = false;
    let replaced = false;
    for (const item of queue) {
      if ("snapshot" in item) {
        const { task, phases, sequence, recent_logs } = item.snapshot;
        this.log.append(lines);
        lines = [];
        const before = this.log.first;
        this.log.merge(recent_logs);
        replaced ||= this.log.first !== before && this.log.hasEarlier;
        logged = true;
        state = { task, phases, sequence };
      } else if (state) {
        state = fold(state, item.event);
        if (item.event.type === "log") lines.push(item.event as unknown as LogLine);
      }
    }
    this.log.append(lines);
    this.state.value = state;
    this.connection.value = this.stream.connection;
    if (logged || lines.length) this.logVersion.value++;
    // A snapshot brings a screenful; one more page tells whether there is anything before it.
    if (replaced) void this.loadEarlier();
  }

  private on(target: EventTarget, type: string, handle: () => void): void {
    target.addEventListener(type, handle);
    this.stops.push(() => target.removeEventListener(type, handle));
  }
}
