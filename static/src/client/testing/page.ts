import { vi } from "vitest";
import { Access } from "../access";
import { Problem } from "../problem";
import type { Snapshot, TaskEvent } from "../types";
import type { TaskSink, UserSink } from "../watch";

/** A session that the test signs in and out. */
export class FakeAccess extends Access {
  override token: string | null = "token";
  signedIn: boolean | null = true;
  who: string | null = null;
  readonly taking = vi.fn<() => Promise<void>>(async () => undefined);

  override get account(): string | null {
    return this.who;
  }

  protected take(): Promise<void> {
    return this.taking();
  }
  protected end(): void {
    this.signedIn = false;
    this.changed();
  }

  renewed(token: string): void {
    this.token = token;
    this.changed();
  }
  signIn(signedIn: boolean): void {
    this.signedIn = signedIn;
    this.changed();
  }
}

/** What the server answers to a path that ends so; a Problem is thrown, undefined is no answer at all. */
export class FakeServer {
  readonly answers = new Map<string, unknown>();
  readonly asked: string[] = [];
  readonly streams: FakeStream[] = [];

  readonly fetch = async (address: string, init: RequestInit): Promise<Response> => {
    this.asked.push(address);
    if (address.includes("/stream?")) return this.stream(address, init);
    const [, answer] = [...this.answers].find(([path]) => address.includes(path)) ?? [];
    if (answer === undefined) throw new TypeError("network");
    const status = answer instanceof Problem ? answer.status : 200;
    return new Response(JSON.stringify(answer), { status });
  };

  private stream(address: string, init: RequestInit): Promise<Response> {
    const stream = new FakeStream(address, init);
    this.streams.push(stream);
    return stream.response;
  }
}

/** An SSE stream that was asked for; the test plays the server. */
export class FakeStream {
  readonly response: Promise<Response>;
  gone = false;
  answer!: (response: Response) => void;
  fail!: (error: Error) => void;
  private body!: ReadableStreamDefaultController<Uint8Array>;

  constructor(
    readonly address: string,
    init: RequestInit,
  ) {
    this.response = new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
    init.signal?.addEventListener("abort", () => {
      this.gone = true;
      this.fail(new DOMException("aborted", "AbortError"));
    });
  }

  get rooms(): string[] {
    return (this.address.split("rooms=")[1] ?? "").split(",");
  }

  /** Takes the cursors; each head is where its cursor is unless it is given. */
  open(heads: Record<string, number> = {}): void {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.body = controller) });
    this.answer(new Response(body));
    const at = this.rooms.map((room) => {
      const [name = "", from = "latest"] = room.split("@");
      const head = heads[name] ?? (from === "latest" ? 0 : Number(from));
      return [name === "user" ? "user:1" : name, { cursor: from === "latest" ? head : Number(from), head }];
    });
    this.deliver("connected", { rooms: Object.fromEntries(at) });
  }
  text(text: string): void {
    this.body.enqueue(new TextEncoder().encode(text));
  }
  deliver(type: string, payload: unknown): void {
    this.text(`event: ${type}\ndata: ${JSON.stringify(payload)}\n\n`);
  }
  log(...sequences: number[]): void {
    for (const sequence of sequences) this.deliver("log", { stream: "task:t", sequence, level: "INFO", message: "" });
  }
  end(): void {
    this.body.close();
  }
}

export const snapshotAt = (sequence: number, status = "STARTED"): Snapshot =>
  ({
    task: { status, updated_at: null },
    phases: [],
    sequence,
    recent_logs: [],
    approval: null,
  }) as unknown as Snapshot;

/** Notes what a sink is told. */
export function noting(): { seen: (number | string)[]; sink: TaskSink; user: UserSink } {
  const seen: (number | string)[] = [];
  const event = ({ sequence }: TaskEvent): void => void seen.push(sequence);
  return {
    seen,
    sink: { snapshot: ({ sequence }) => seen.push(`snapshot ${sequence}`), event, progress: () => undefined },
    user: { refresh: () => seen.push("refresh"), event },
  };
}
