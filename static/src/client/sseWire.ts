import type { Access } from "./access";
import { EventStreamText, type Message } from "./eventStream";
import { parseJson } from "./json";
import { deliver, roomOf, type Closed, type OpenWire, type Room, type Wire, type WireEvents } from "./wire";

/** A proxy that holds back the first message holds back all others too. */
const OPEN_TIMEOUT_MS = 10_000;
/** The server sends something every 15 s; longer silence means that the network is gone. */
export const SILENCE_MS = 40_000;
export const STREAM_ROOMS = 16;

interface Hello {
  rooms: Record<string, { cursor: number; head: number }>;
}

/** Rooms over one SSE stream, which is opened again whenever they change.
 *
 * Uses fetch, because an EventSource reports only event types that are named in advance, neither the status of a failure
 * nor comments, and cannot send a bearer token. */
class SseWire implements Wire {
  readonly kind = "sse";
  readonly capacity = STREAM_ROOMS;
  private readonly rooms = new Map<string, Room>();
  private reading: AbortController | null = null;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private open = false;
  private due = false;
  private done = false;

  constructor(
    private readonly access: Access,
    private readonly events: WireEvents,
    private readonly alive: () => void,
  ) {
    this.change();
  }

  join(room: Room): void {
    this.rooms.set(room.name, room);
    this.change();
  }

  leave(room: Room): void {
    if (this.rooms.get(room.name) !== room) return;
    this.rooms.delete(room.name);
    this.change();
  }

  /** The open stream ends at its token's time, and comes back with the new one. */
  token(): void {
    return undefined;
  }

  close(): void {
    this.finish(null);
  }

  private change(): void {
    if (this.due || this.done) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (!this.done) void this.read();
    });
  }

  private async read(): Promise<void> {
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const current = (): boolean => reading === this.reading && !this.done && !this.due;
    this.expectWithin(OPEN_TIMEOUT_MS);
    const { credentials } = this.access;
    const init = { headers: this.headers(), signal: reading.signal, cache: "no-store", credentials } as const;
    const response = await fetch(this.address(), init).catch(() => null);
    if (!current()) return;
    if (!response) return this.finish("cut");
    if (response.status !== 200 || !response.body) return this.answered(response.status, current);
    const text = new EventStreamText();
    for await (const piece of pieces(response.body)) {
      if (!current()) return;
      if (this.open) {
        this.expectWithin(SILENCE_MS);
        this.alive();
      }
      for (const message of text.push(piece)) if (current()) this.received(message);
    }
    if (current()) this.finish("cut");
  }

  private received({ type, data }: Message): void {
    if (type === "token_expired") return this.finish("denied");
    const payload = parseJson(data);
    if (type === "connected") this.connected(payload as Hello);
    else deliver(this.rooms, type, payload);
  }

  /** A server that shuts down answers 200 and closes, so only this message means that the cursors were taken. */
  private connected({ rooms }: Hello): void {
    this.expectWithin(SILENCE_MS);
    if (!this.open) {
      this.open = true;
      this.events.opened();
    }
    for (const [stream, { cursor, head }] of Object.entries(rooms)) {
      const room = this.rooms.get(roomOf(stream));
      if (!room) continue;
      this.events.joined();
      room.joined(head, cursor);
    }
  }

  private async answered(status: number, current: () => boolean): Promise<void> {
    const rooms = [...this.rooms.values()];
    // All rooms have ended, and everything was sent.
    if (status === 204) return rooms.forEach((room) => room.ended());
    if (status === 401) return this.finish("denied");
    if (status !== 403 && status !== 404) return this.finish("cut");
    // One room that the user may no longer see makes the whole stream 404: each room asks for itself, and that one leaves.
    await Promise.all(rooms.map((room) => room.poll()));
    if (current()) this.finish("cut");
  }

  private expectWithin(ms: number): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.finish("cut"), ms);
  }

  /** A stream needs at least one room. */
  private address(): string {
    const rooms = [...this.rooms.values()].map(({ name, cursor }) => `${name}@${cursor ?? "latest"}`);
    return `${this.access.base}/api/v2/stream?rooms=${rooms.join(",") || this.access.idleRoom}`;
  }

  private headers(): Record<string, string> {
    const { token } = this.access;
    return { Accept: "text/event-stream", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  }

  private finish(why: Closed | null): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.silence);
    this.reading?.abort();
    if (why) this.events.closed(why === "cut" && !this.open ? "unreachable" : why);
  }
}

/** `alive`: called whenever the open stream brings something, even a comment. */
export const sseWire =
  (access: Access, alive = (): void => undefined): OpenWire =>
  (events) =>
    new SseWire(access, events, alive);

/** Yields the text until the stream ends, is aborted or breaks. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const part = await reader.read().catch(() => null);
    if (!part || part.done) return;
    yield decoder.decode(part.value, { stream: true });
  }
}
