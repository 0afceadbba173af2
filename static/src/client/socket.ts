import { io, type Socket } from "socket.io-client";
import { Backoff } from "./backoff";
import { Problem } from "./http";
import type { Access } from "./access";
import { deliver, type Closed, type OpenWire, type Room, type Wire, type WireEvents } from "./wire";

const OPEN_TIMEOUT_MS = 5_000;
const SIGN_IN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** The events of a moment; a message for each would be a task of the page's for each. */
type Batch = readonly (readonly [type: string, payload: unknown])[];
type Ack = { ok: true; sequence?: number } | { ok: false; error?: { status?: number; title?: string } };

/** One join: another one of the same room is another seat. */
interface Seat {
  readonly room: Room;
}

/** A room that the server could not take. */
interface Delay {
  readonly backoff: Backoff;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Rooms over Socket.IO, by WebSocket only: its own long-polling is no better than asking by REST. */
class SocketWire implements Wire {
  readonly kind = "socket";
  readonly capacity = 64;
  private readonly socket: Socket;
  private readonly rooms = new Map<string, Room>();
  private readonly wanted = new Map<string, Seat>();
  private readonly taken = new Map<string, Seat>();
  private readonly busy = new Set<string>();
  private readonly delays = new Map<string, Delay>();
  /** Counts what the server said. */
  private heard = 0;
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
      auth: (give: (credentials: object) => void) => give({ token: access.token, batch: true }),
    };
    this.socket = access.base ? io(access.base, options) : io(options);
    // The library waits for an open WebSocket only, not for the server's word that one may come in.
    this.signingIn = setTimeout(() => this.finish("unreachable"), SIGN_IN_TIMEOUT_MS);
    this.socket.on("connect", () => {
      clearTimeout(this.signingIn);
      if (!this.done) events.opened();
    });
    // Only the server's own refusal carries `data`; everything else is a transport that did not open.
    this.socket.on("connect_error", (error) => this.finish("data" in error ? "denied" : "unreachable"));
    // The server disconnects a client only for logout and expiry; otherwise it closes the transport.
    this.socket.on("disconnect", (reason) => this.finish(reason === "io server disconnect" ? "denied" : "cut"));
    this.socket.onAny((type: string, payload: unknown) => {
      if (this.done) return;
      this.heard++;
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

  /** One request a room at a time, for the server answers them side by side: a leave could overtake its join. */
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
        // It may be joined all the same, and is then left.
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
        // Only a task's join without a cursor brings the present state; other rooms are live then.
        if (meant) room.joined(head, cursor ?? (name.startsWith("task:") ? null : head));
      };
      this.ask(...joining(room), answered, unanswered);
    }
  }

  private stepped(name: string, taken: Seat | undefined): void {
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

  /** The other rooms are not to be torn down for one. */
  private delay(name: string): void {
    const delay: Delay = this.delays.get(name) ?? { backoff: new Backoff(), timer: undefined };
    this.delays.set(name, delay);
    delay.timer = setTimeout(() => {
      delay.timer = undefined;
      this.step(name);
    }, delay.backoff.next());
  }

  /** `unanswered`: only this; where nothing at all was heard meanwhile the connection is dead. */
  private ask(
    name: string,
    body: object,
    answered: (ack: Ack) => void,
    unanswered = (): void => this.finish("cut"),
  ): void {
    const { heard } = this;
    this.socket.timeout(ANSWER_TIMEOUT_MS).emit(name, body, (error: Error | null, ack: Ack | undefined) => {
      if (this.done) return;
      if (!error && ack) {
        this.heard++;
        answered(ack);
      } else if (this.heard === heard) this.finish("cut");
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
