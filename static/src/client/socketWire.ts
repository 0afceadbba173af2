import { io, type Socket } from "socket.io-client";
import type { Access } from "./access";
import { Backoff } from "./backoff";
import { exactParser } from "./exactDecoder";
import { digitsAreKept } from "./json";
import { Problem } from "./problem";
import { deliver, type Closed, type OpenWire, type Room, type Wire, type WireEvents } from "./wire";

const OPEN_TIMEOUT_MS = 5_000;
const SIGN_IN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Several events in one message: a message for each would be a task of the page's loop for each. */
type Batch = readonly (readonly [type: string, payload: unknown])[];
type Ack = { ok: true; sequence?: number } | { ok: false; error?: { status?: number; title?: string } };

/** One join of a room; a second join of the same room is another object. */
interface Join {
  readonly room: Room;
}

/** The pause before a room is tried again that the server could not take. */
interface Delay {
  readonly backoff: Backoff;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Rooms over Socket.IO, by WebSocket only: its long-polling is no better than asking by REST. */
class SocketWire implements Wire {
  readonly kind = "socket";
  readonly capacity = 64;
  private readonly socket: Socket;
  private readonly rooms = new Map<string, Room>();
  private readonly wanted = new Map<string, Join>();
  private readonly taken = new Map<string, Join>();
  private readonly busy = new Set<string>();
  private readonly delays = new Map<string, Delay>();
  /** Counts messages of the server. */
  private received = 0;
  private readonly signingIn: ReturnType<typeof setTimeout>;
  private done = false;

  constructor(
    access: Access,
    private readonly events: WireEvents,
  ) {
    const options = {
      transports: ["websocket"],
      // One place decides about back-off, fallback and the cursors to resume at.
      reconnection: false,
      forceNew: true,
      timeout: OPEN_TIMEOUT_MS,
      ...(digitsAreKept() ? { parser: exactParser } : {}),
      auth: (give: (credentials: object) => void) => give({ token: access.token, batch: true }),
    };
    this.socket = access.base ? io(access.base, options) : io(options);
    // The library's timeout ends when the WebSocket opens, before the server has accepted the token.
    this.signingIn = setTimeout(() => this.finish("unreachable"), SIGN_IN_TIMEOUT_MS);
    this.socket.on("connect", () => {
      clearTimeout(this.signingIn);
      if (!this.done) events.opened();
    });
    // Only a refusal by the server has `data`; every other error is a transport that did not open.
    this.socket.on("connect_error", (error) => this.finish("data" in error ? "denied" : "unreachable"));
    // The server disconnects a client only at logout and expiry; otherwise it closes the transport.
    this.socket.on("disconnect", (reason) => this.finish(reason === "io server disconnect" ? "denied" : "cut"));
    this.socket.onAny((type: string, payload: unknown) => {
      if (this.done) return;
      this.received++;
      if (type === "token_expired") return this.finish("denied");
      for (const [each, event] of type === "events" && Array.isArray(payload) ? (payload as Batch) : [[type, payload] as const]) {
        if (!this.done) deliver(this.rooms, each, event);
      }
    });
  }

  join(room: Room): void {
    this.rooms.set(room.name, room);
    this.wanted.set(room.name, { room });
    this.step(room.name);
  }

  leave(room: Room): void {
    if (this.rooms.get(room.name) !== room) return;
    this.rooms.delete(room.name);
    this.wanted.delete(room.name);
    clearTimeout(this.delays.get(room.name)?.timer);
    this.delays.delete(room.name);
    this.step(room.name);
  }

  token(token: string): void {
    if (!this.socket.connected) return;
    this.ask("refresh_token", { token }, (ack) => {
      if (!ack.ok) this.finish("cut");
    });
  }

  close(): void {
    this.finish(null);
  }

  /** Sends one request a room at a time, because the server answers them in parallel: a leave could overtake its join. */
  private step(name: string): void {
    const wanted = this.wanted.get(name);
    const taken = this.taken.get(name);
    if (this.done || this.busy.has(name) || wanted === taken) return;
    if (!taken && this.delays.get(name)?.timer) return;
    // A join that overtook a leave would be one room too many.
    if (!taken && new Set([...this.taken.keys(), ...this.busy]).size >= this.capacity) return;
    this.busy.add(name);
    if (taken) {
      this.ask(...leaving(name), () => this.stepped(name, undefined));
    } else if (wanted) {
      const { room } = wanted;
      const { cursor } = room;
      const unanswered = (): void => {
        const meant = this.wanted.get(name) === wanted;
        if (meant) this.delay(name);
        // The server may have joined it all the same; a room that is no longer wanted is then left.
        this.stepped(name, meant ? undefined : wanted);
      };
      const answered = (ack: Ack): void => {
        const meant = this.wanted.get(name) === wanted;
        if (!ack.ok) {
          if (meant) this.refused(room, ack.error);
          return this.stepped(name, undefined);
        }
        this.delays.delete(name);
        this.events.joined();
        this.stepped(name, wanted);
        const head = ack.sequence ?? 0;
        // Only the join of a task without a cursor brings the present state; other rooms are live from here on.
        if (meant) room.joined(head, cursor ?? (name.startsWith("task:") ? null : head));
      };
      this.ask(...joining(room), answered, unanswered);
    }
  }

  private stepped(name: string, taken: Join | undefined): void {
    this.busy.delete(name);
    if (taken) this.taken.set(name, taken);
    else this.taken.delete(name);
    for (const each of [name, ...this.wanted.keys()]) this.step(each);
  }

  private refused(room: Room, error: { status?: number; title?: string } | undefined): void {
    const status = error?.status ?? 0;
    if (status === 401) return this.finish("denied");
    if (status < 400) return this.finish("cut");
    if (status === 429 || status >= 500) return this.delay(room.name);
    this.leave(room);
    room.refused(new Problem(status, error?.title ?? "Refused"));
  }

  /** Tries one room again later; the other rooms go on. */
  private delay(name: string): void {
    const delay: Delay = this.delays.get(name) ?? { backoff: new Backoff(), timer: undefined };
    this.delays.set(name, delay);
    delay.timer = setTimeout(() => {
      delay.timer = undefined;
      this.step(name);
    }, delay.backoff.next());
  }

  /** `unanswered`: this request only. When nothing at all came meanwhile, the connection is dead. */
  private ask(
    name: string,
    body: object,
    answered: (ack: Ack) => void,
    unanswered = (): void => this.finish("cut"),
  ): void {
    const { received } = this;
    this.socket.timeout(ANSWER_TIMEOUT_MS).emit(name, body, (error: Error | null, ack: Ack | undefined) => {
      if (this.done) return;
      if (!error && ack) {
        this.received++;
        answered(ack);
      } else if (this.received === received) this.finish("cut");
      else unanswered();
    });
  }

  private finish(why: Closed | null): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.signingIn);
    for (const { timer } of this.delays.values()) clearTimeout(timer);
    this.socket.offAny();
    this.socket.disconnect();
    if (why) this.events.closed(why);
  }
}

export const socketWire =
  (access: Access): OpenWire =>
  (events) =>
    new SocketWire(access, events);

function joining({ name, cursor, types }: Room): [string, object] {
  const at = cursor === null ? {} : { since_sequence: cursor };
  if (name === "user") return ["join_events", at];
  if (name === "broadcast") return ["join_broadcast", at];
  return ["join_task", { task_id: taskId(name), ...at, ...(types ? { types } : {}) }];
}

function leaving(name: string): [string, object] {
  if (name === "user") return ["leave_events", {}];
  if (name === "broadcast") return ["leave_broadcast", {}];
  return ["leave_task", { task_id: taskId(name) }];
}

const taskId = (name: string): string => name.slice("task:".length);
