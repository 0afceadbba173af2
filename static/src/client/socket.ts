import { io } from "socket.io-client";
import { numbered, type Closed, type OpenWire } from "./wire";

const OPEN_TIMEOUT_MS = 5_000;
const JOIN_TIMEOUT_MS = 10_000;

type Ack = { ok: true; sequence: number } | { ok: false; error?: { status?: number; title?: string } };

/** A task's stream over Socket.IO. `token` is asked at each connection for the access token of that moment. */
export function socketWire(token: () => string | null): OpenWire {
  return (taskId, cursor, events) => {
    // The library's own reconnecting is off: one place decides about back-off, fallback and the cursor to resume at.
    const socket = io({
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnection: false,
      forceNew: true,
      timeout: OPEN_TIMEOUT_MS,
      auth: (give) => give({ token: token() }),
    });
    let done = false;

    const finish = (why: Closed | null): void => {
      if (done) return;
      done = true;
      socket.offAny();
      socket.disconnect();
      if (why) events.closed(why);
    };

    socket.on("connect", () => {
      const join = { task_id: taskId, since_sequence: cursor };
      socket.timeout(JOIN_TIMEOUT_MS).emit("join_task", join, (error: Error | null, ack: Ack) => {
        if (done) return;
        if (error) finish({ kind: "cut" });
        else if (ack?.ok) events.joined(ack.sequence);
        else finish(refusal(ack));
      });
    });
    // Only the server's own refusal carries `data`; everything else is a transport that did not open.
    socket.on("connect_error", (error) => finish({ kind: "data" in error ? "denied" : "unreachable" }));
    // The server disconnects a client only for logout and expiry; otherwise it closes the transport.
    socket.on("disconnect", (reason) => finish({ kind: reason === "io server disconnect" ? "denied" : "cut" }));
    socket.onAny((type: string, payload: unknown) => {
      if (done) return;
      if (type === "token_expired") return finish({ kind: "denied" });
      if (type === "resync" || type === "end") {
        if ((payload as { stream?: unknown } | null)?.stream === `task:${taskId}`) events[type]();
        return;
      }
      const event = numbered(taskId, type, payload);
      if (event) events.event(event);
    });

    return {
      close: () => finish(null),
      token: (renewed) => {
        if (!socket.connected) return;
        socket.timeout(JOIN_TIMEOUT_MS).emit("refresh_token", { token: renewed }, (error: Error | null, ack?: Ack) => {
          if (error || !ack?.ok) finish({ kind: "cut" });
        });
      },
    };
  };
}

function refusal(ack: Exclude<Ack, { ok: true }> | undefined): Closed {
  const status = ack?.error?.status ?? 0;
  if (status === 401) return { kind: "denied" };
  if (status === 403 || status === 404) return { kind: "refused", status, title: ack?.error?.title ?? "Refused" };
  return { kind: "cut" };
}
