import { streamAddress } from "./api";
import { numbered, type Closed, type OpenWire } from "./wire";

/** EventSource tells only of the event names that were asked for. */
const TYPES = [
  "task_status",
  "phase_update",
  "phase_complete",
  "log",
  "agent_started",
  "agent_completed",
  "approval_needed",
  "approval_decided",
];

/** A task's stream over SSE, authenticated by the cookie. */
export const sseWire: OpenWire = (taskId, cursor, events) => {
  const source = new EventSource(streamAddress(taskId, cursor));
  let open = false;
  let done = false;

  const finish = (why: Closed | null): void => {
    if (done) return;
    done = true;
    source.close();
    if (why) events.closed(why);
  };

  const on = (type: string, handle: (data: string) => void): void =>
    source.addEventListener(type, (message) => {
      if (!done && message instanceof MessageEvent) handle(String(message.data));
    });

  // A server that drains answers 200 and closes, so only its first word means that the cursor was taken.
  on("connected", (data) => {
    open = true;
    events.joined((JSON.parse(data) as { head: number }).head);
  });
  // EventSource would reconnect on its own, but with a cursor of its own and without a word to the viewer.
  source.onerror = () => finish({ kind: open ? "cut" : "unreachable" });
  for (const type of TYPES) {
    on(type, (data) => {
      const event = numbered(taskId, type, JSON.parse(data));
      if (event) events.event(event);
    });
  }
  on("resync", () => events.resync());
  on("end", () => events.end());
  on("token_expired", () => finish({ kind: "denied" }));

  return {
    close: () => finish(null),
    // The cookie was renewed with the token; the open stream ends at its time and comes back with the new one.
    token: () => undefined,
  };
};
