import { Backoff } from "./backoff";
import { Problem } from "./http";
import { isTerminal, type Snapshot, type TaskEvent } from "./types";
import type { Closed, OpenWire, Wire } from "./wire";

export type Connection =
  | { kind: "connecting" }
  | { kind: "catching up"; behind: number }
  | { kind: "live" }
  /** `until`: when it tries again, in milliseconds of this machine's clock. */
  | { kind: "reconnecting"; until: number }
  | { kind: "ended" }
  | { kind: "signed out" }
  | { kind: "refused"; problem: Problem };

export interface StreamDeps {
  snapshot(): Promise<Snapshot>;
  /** Takes a new access token; throws Problem, 401 when the session is over. */
  renew(): Promise<void>;
  /** In order of preference; the next is tried when one cannot open. */
  wires: readonly OpenWire[];
  backoff?: Backoff;
}

export interface Sink {
  /** State to begin from anew; everything up to its `sequence` is in it. */
  snapshot(snapshot: Snapshot): void;
  /** Each later event exactly once, in order, without gaps. */
  event(event: TaskEvent): void;
  /** `connection` has changed. */
  connection(): void;
}

/** One viewer of one task: snapshot, then live from exactly there, across every break, until the task's end. */
export class TaskStream {
  /** The last sequence handed to the sink. */
  cursor = 0;
  private head = 0;
  private phase: Exclude<Connection, { kind: "catching up" }> = { kind: "connecting" };
  private wire: Wire | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private needsSnapshot = true;
  private finished = false;
  private lastGap = -1;
  /** Counts attempts, so that what an abandoned one still brings is not taken for the present one's. */
  private attempt = 0;
  private readonly backoff: Backoff;

  constructor(
    private readonly taskId: string,
    private readonly deps: StreamDeps,
    private readonly sink: Sink,
  ) {
    this.backoff = deps.backoff ?? new Backoff();
  }

  get connection(): Connection {
    if (this.phase.kind === "live" && this.cursor < this.head) {
      return { kind: "catching up", behind: this.head - this.cursor };
    }
    return this.phase;
  }

  start(): void {
    this.resume();
  }

  stop(): void {
    this.abandon();
  }

  /** Tries at once instead of at the end of the back-off. */
  retryNow(): void {
    if (this.phase.kind === "reconnecting") this.resume();
  }

  /** Leaves a connection that may be dead without knowing it, and resumes at the cursor. */
  reopen(): void {
    if (this.phase.kind === "live" || this.phase.kind === "reconnecting") this.resume();
  }

  token(token: string): void {
    this.wire?.token(token);
  }

  private resume(): void {
    if (this.needsSnapshot) void this.load();
    else if (this.finished) this.end();
    else this.open(0);
  }

  private async load(): Promise<void> {
    const attempt = this.abandon();
    if (this.phase.kind !== "reconnecting") this.announce({ kind: "connecting" });
    try {
      const snapshot = await this.deps.snapshot();
      if (attempt !== this.attempt) return;
      this.needsSnapshot = false;
      this.cursor = snapshot.sequence;
      this.finished = isTerminal(snapshot.task.status);
      this.sink.snapshot(snapshot);
      this.resume();
    } catch (error) {
      if (attempt === this.attempt) this.failed(Problem.of(error));
    }
  }

  private open(choice: number): void {
    const attempt = this.abandon();
    const openWire = this.deps.wires[choice];
    if (!openWire) return this.wait();
    if (this.phase.kind === "live") this.announce({ kind: "connecting" });
    const current = (handle: () => void): void => {
      if (attempt === this.attempt) handle();
    };
    this.wire = openWire(this.taskId, this.cursor, {
      joined: (head) =>
        current(() => {
          this.head = head;
          this.backoff.reset();
          this.announce({ kind: "live" });
        }),
      event: (event) => current(() => this.accept(event)),
      resync: () => current(() => this.reload()),
      // An end whose terminal event is not here would leave a task running on the page for ever.
      end: () => current(() => (this.finished ? this.end() : this.reload())),
      closed: (why) => current(() => this.closed(why, choice)),
    });
  }

  private accept(event: TaskEvent): void {
    if (event.sequence <= this.cursor) return;
    if (event.sequence > this.cursor + 1) return this.gap();
    this.cursor = event.sequence;
    if (event.type === "task_status" && isTerminal(event.status)) this.finished = true;
    this.sink.event(event);
  }

  /** Something was missed on the way: a new join at the cursor brings it. A gap that stays is jumped by a snapshot. */
  private gap(): void {
    const again = this.lastGap === this.cursor;
    this.lastGap = this.cursor;
    if (again) this.reload();
    else this.open(0);
  }

  private reload(): void {
    this.needsSnapshot = true;
    void this.load();
  }

  private closed(why: Closed, choice: number): void {
    this.wire = null;
    if (why.kind === "unreachable") this.open(choice + 1);
    else if (why.kind === "cut") this.wait();
    else if (why.kind === "refused") this.failed(new Problem(why.status, why.title));
    else void this.renew(choice);
  }

  /** A token that ended on an open wire is nobody's fault: with a new one the same wire opens again at once. */
  private async renew(choice: number): Promise<void> {
    const joined = this.phase.kind === "live";
    const attempt = this.abandon();
    try {
      await this.deps.renew();
      if (attempt !== this.attempt) return;
      if (joined) this.open(choice);
      else this.wait();
    } catch (error) {
      if (attempt === this.attempt) this.failed(Problem.of(error));
    }
  }

  private failed(problem: Problem): void {
    if (problem.status === 401) this.over({ kind: "signed out" });
    else if (problem.status === 403 || problem.status === 404) this.over({ kind: "refused", problem });
    else this.wait();
  }

  private wait(): void {
    this.abandon();
    const delay = this.backoff.next();
    this.timer = setTimeout(() => this.resume(), delay);
    this.announce({ kind: "reconnecting", until: Date.now() + delay });
  }

  private end(): void {
    this.over({ kind: "ended" });
  }

  private over(phase: TaskStream["phase"]): void {
    this.abandon();
    this.announce(phase);
  }

  private abandon(): number {
    clearTimeout(this.timer);
    this.wire?.close();
    this.wire = null;
    return ++this.attempt;
  }

  private announce(phase: TaskStream["phase"]): void {
    this.phase = phase;
    this.sink.connection();
  }
}
