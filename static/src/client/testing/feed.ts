import { vi } from "vitest";
import { FakeServer, type FakeStream } from "./page";

/** Long enough for tabs to ask for more meanwhile. */
const OPENING_MS = 5;

/** A server of streams that answers by itself, as docs/protocol.md has it: what is after each cursor, then what comes. */
export class Feed {
  readonly server = new FakeServer();
  readonly heads = new Map<string, number>();
  /** Rooms that the user may not see. */
  readonly refused = new Set<string>();
  /** How many streams were open at once, at most. */
  most = 0;
  private readonly open = new Map<FakeStream, ReadonlySet<string>>();

  constructor() {
    vi.stubGlobal("fetch", this.fetch);
  }

  get streams(): FakeStream[] {
    return [...this.open.keys()].filter((stream) => !stream.gone);
  }

  /** The names in the address of the open stream. */
  get rooms(): string[] {
    return this.streams.flatMap(({ rooms }) => rooms.map((room) => room.split("@")[0] ?? "")).sort();
  }

  append(room: string, count = 1): void {
    const before = this.heads.get(room) ?? 0;
    this.heads.set(room, before + count);
    for (const stream of this.streams) if (this.open.get(stream)?.has(room)) this.deliver(stream, room, before);
  }

  /** Every connection breaks. */
  cut(): void {
    for (const stream of this.streams) {
      stream.end();
      this.open.delete(stream);
    }
  }

  /** What held them is gone, and nobody tells. */
  vanish(): void {
    for (const stream of this.server.streams) stream.gone = true;
  }

  alive(): void {
    for (const stream of this.streams) stream.text(": keep-alive\n\n");
  }

  private readonly fetch = (address: string, init: RequestInit): Promise<Response> => {
    const answer = this.server.fetch(address, init);
    const stream = this.server.streams.at(-1);
    if (stream && address === stream.address) setTimeout(() => this.take(stream), OPENING_MS);
    return answer;
  };

  private take(stream: FakeStream): void {
    if (stream.gone) return;
    if (stream.rooms.length > 16) return stream.answer(new Response("{}", { status: 400 }));
    if (stream.rooms.some((room) => this.refused.has(room.split("@")[0] ?? ""))) {
      return stream.answer(new Response("{}", { status: 404 }));
    }
    stream.open(Object.fromEntries(this.heads));
    const places = stream.rooms.map((room) => room.split("@") as [string, string | undefined]);
    this.open.set(stream, new Set(places.map(([name]) => name)));
    this.most = Math.max(this.most, this.streams.length);
    for (const [name, from = "latest"] of places) {
      const head = this.heads.get(name) ?? 0;
      if (from !== "latest" && Number(from) < head) this.deliver(stream, name, Number(from));
    }
  }

  /** All that is after a sequence, in one piece. */
  private deliver(stream: FakeStream, room: string, after: number): void {
    const of = room === "user" ? "user:1" : room;
    let text = "";
    for (let sequence = after + 1; sequence <= (this.heads.get(room) ?? 0); sequence++) {
      text += `event: log\ndata: ${JSON.stringify({ stream: of, sequence })}\n\n`;
    }
    stream.text(text);
  }
}
