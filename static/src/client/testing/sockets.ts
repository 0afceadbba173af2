type Ack = (error: Error | null, answer?: unknown) => void;

/** Stands for the library's socket; the test plays the server. */
export class FakeSocket {
  connected = false;
  gone = false;
  readonly sent: { name: string; body: Record<string, unknown>; ack: Ack }[] = [];
  private readonly handlers = new Map<string, (...args: unknown[]) => void>();
  private any: (type: string, payload: unknown) => void = () => undefined;

  constructor(readonly options: { transports?: string[]; auth?: (give: (credentials: object) => void) => void }) {}

  on(name: string, handle: (...args: unknown[]) => void): void {
    this.handlers.set(name, handle);
  }
  onAny(handle: (type: string, payload: unknown) => void): void {
    this.any = handle;
  }
  offAny(): void {
    this.any = () => undefined;
  }
  timeout(): this {
    return this;
  }
  emit(name: string, body: Record<string, unknown>, ack: Ack): void {
    this.sent.push({ name, body, ack });
  }
  disconnect(): void {
    this.gone = true;
  }

  /** The server takes the connection. */
  open(): void {
    this.connected = true;
    this.handlers.get("connect")?.();
  }
  /** Answers the oldest request of that name that waits. */
  answer(name: string, answer: unknown): void {
    this.take(name).ack(null, answer);
  }
  /** Its time to answer is over. */
  silence(name: string): void {
    this.take(name).ack(new Error("operation has timed out"));
  }
  private take(name: string): FakeSocket["sent"][number] {
    const at = this.sent.findIndex((request) => request.name === name);
    const [request] = this.sent.splice(at, 1);
    if (at < 0 || !request) throw new Error(`nobody asked ${name}`);
    return request;
  }
  asked(name: string): Record<string, unknown>[] {
    return this.sent.filter((request) => request.name === name).map(({ body }) => body);
  }
  fail(error: Error): void {
    this.handlers.get("connect_error")?.(error);
  }
  cut(reason = "transport close"): void {
    this.handlers.get("disconnect")?.(reason);
  }
  deliver(type: string, payload: unknown): void {
    this.any(type, payload);
  }
  log(...sequences: number[]): void {
    for (const sequence of sequences) this.deliver("log", { stream: "task:t", sequence, level: "INFO", message: "" });
  }
}

export const sockets: FakeSocket[] = [];

export const socket = (): FakeSocket => {
  const last = sockets.at(-1);
  if (!last) throw new Error("no socket was opened");
  return last;
};

/** In the place of the library's `io`. */
export const io = (options: FakeSocket["options"]): FakeSocket => {
  const made = new FakeSocket(options);
  sockets.push(made);
  return made;
};
