import { vi } from "vitest";
import { Backoff } from "../backoff";
import { PageConnection } from "../connection";
import { FakeAccess, FakeServer, noting, snapshotAt, type FakeStream } from "./page";
import { socket, sockets } from "./sockets";

export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A page on which the task `t` is watched, which stands at 5, and a server that the test plays. */
export class Stage {
  readonly server = new FakeServer();
  readonly access = new FakeAccess();
  readonly connection: PageConnection;
  readonly seen: (number | string)[];
  readonly notes = noting();

  constructor() {
    vi.useFakeTimers();
    sockets.length = 0;
    this.server.answers.set("/tasks/t/status", snapshotAt(5));
    this.server.answers.set("/tasks/t/events", { events: [], next_sequence: 5, has_more: false });
    vi.stubGlobal("fetch", this.server.fetch);
    this.connection = new PageConnection(this.access, new Backoff(() => 0));
    this.seen = this.notes.seen;
  }

  end(): void {
    this.connection.close();
    vi.useRealTimers();
  }

  async watch(): Promise<void> {
    this.connection.task("t", this.notes.sink);
    await pass(0);
  }

  /** By WebSocket. */
  async live(head = 5): Promise<void> {
    await this.watch();
    socket().open();
    this.take(head);
  }

  take(head: number): void {
    socket().answer("join_task", { ok: true, task_id: "t", sequence: head });
  }

  /** WebSocket is blocked; the stream carries the task. */
  async streaming(): Promise<void> {
    await this.watch();
    this.block();
    await pass(0);
    this.stream.open();
    await pass(0);
    this.stream.open();
    await pass(0);
  }

  /** Neither wire gets through. */
  async polling(): Promise<void> {
    await this.watch();
    await this.blockBoth();
  }

  async blockBoth(): Promise<void> {
    this.block();
    await pass(0);
    this.stream.fail(new TypeError("network"));
    await pass(0);
  }

  block(): void {
    socket().fail(new Error("websocket error"));
  }

  get stream(): FakeStream {
    const last = this.server.streams.at(-1);
    if (!last) throw new Error("no stream was asked for");
    return last;
  }

  /** The cursors of the joins that nobody has answered yet. */
  get joins(): unknown[] {
    return sockets.flatMap((each) => each.asked("join_task").map((body) => body.since_sequence));
  }

  /** What REST has after the cursor from now on. */
  more(...sequences: number[]): void {
    const events = sequences.map((sequence) => ({ type: "log", sequence, data: { sequence, stream: "task:t" } }));
    this.server.answers.set("/tasks/t/events", { events, next_sequence: sequences.at(-1), has_more: false });
  }

  /** The stream stays open and nothing happens on it. */
  async quiet(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 10) {
      this.stream.text(": keep-alive\n\n");
      await pass(10_000);
    }
  }
}
