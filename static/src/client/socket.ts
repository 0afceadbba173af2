import { io, type Socket } from "socket.io-client";
import { Problem } from "./http";
import type { Access } from "./access";
import { deliver, type Closed, type OpenWire, type Room, type Wire, type WireEvents } from "./wire";

const OPEN_TIMEOUT_MS = 5_000;
const SIGN_IN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;

type Ack = { ok: true; sequence?: number } | { ok: false; error?: { status?: number; title?: string } };

/** One join: another one of the same room is another seat. */
interface Seat {
  readonly room: Room;
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
      auth: (give: (credentials: object) => void) => give({ token: access.token }),
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
      if (type === "token_expired") this.finish("denied");
      else deliver(this.rooms, type, payload);
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
    // A join that overtook a leave would be one room too many.
    if (!taken && new Set([...this.taken.keys(), ...this.busy]).size >= this.capacity) return;
    this.busy.add(name);
    if (taken) {
      this.ask(...leaving(name), () => this.stepped(name, undefined));
    } else if (wanted) {
      const { room } = wanted;
      const { cursor } = room;
      this.ask(...joining(room), (ack) => {
        const meant = this.wanted.get(name) === wanted;
        if (!ack.ok) {
          if (meant) this.refused(room, ack.error);
          return this.stepped(name, undefined);
        }
        this.stepped(name, wanted);
        const head = ack.sequence ?? 0;
        // Only a task's join without a cursor brings the present state; other rooms are live then.
        if (meant) room.joined(head, cursor ?? (name.startsWith("task:") ? null : head));
      });
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
    if (status < 400 || status === 429 || status >= 500) return this.finish("cut");
    this.leave(room);
    room.refused(new Problem(status, error?.title ?? "Refused"));
  }

  private ask(name: string, body: object, answered: (ack: Ack) => void): void {
    this.socket.timeout(ANSWER_TIMEOUT_MS).emit(name, body, (error: Error | null, ack: Ack | undefined) => {
      if (this.done) return;
      if (error || !ack) this.finish("cut");
      else answered(ack);
    });
  }

  private finish(why: Closed | null): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.signingIn);
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

/** `broadcast` cannot be left; another join of it says where it stands. */
function leaving(name: string): [string, object] {
  if (name === "user") return ["leave_events", {}];
  if (name === "broadcast") return ["join_broadcast", {}];
  return ["leave_task", { task_id: taskId(name) }];
}

const taskId = (name: string): string => name.slice("task:".length);
