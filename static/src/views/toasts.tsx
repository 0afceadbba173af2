import { useEffect } from "preact/hooks";
import type { Notification } from "../client/types";
import { acknowledge, toasts } from "../state/bell";
import "../style/over.css";
import { NotificationTitle } from "./bell";
import { SeverityMark } from "./marks";

/** New notifications, in a corner; the bell has them too. */
export function Toasts() {
  useEffect(() => {
    const change = (): void => (document.hidden ? toasts.hold("hidden") : toasts.release("hidden"));
    change();
    document.addEventListener("visibilitychange", change);
    return () => document.removeEventListener("visibilitychange", change);
  }, []);
  const leave = (event: FocusEvent): void => {
    const to = event.relatedTarget;
    if (!(to instanceof Node && (event.currentTarget as Element).contains(to))) toasts.release("focus");
  };
  return (
    <section
      class="toasts"
      aria-label="New notifications"
      onMouseEnter={() => toasts.hold("pointer")}
      onMouseLeave={() => toasts.release("pointer")}
      onFocusIn={() => toasts.hold("focus")}
      onFocusOut={leave}
    >
      {toasts.shown.value.map((notification) => (
        <Toast key={notification.id} notification={notification} />
      ))}
    </section>
  );
}

function Toast({ notification }: { notification: Notification }) {
  const { severity, title, message, urgent } = notification;
  return (
    <div class={`toast ${severity}`} role={urgent || severity === "error" ? "alert" : "status"}>
      <SeverityMark severity={severity} />
      <div>
        <NotificationTitle item={notification} opened={() => toasts.release("focus")} />
        {message && <p>{message}</p>}
      </div>
      <button type="button" class="quiet" aria-label={`Close: ${title}`} onClick={() => close(notification)}>
        <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
          <path d="m4.5 4.5 7 7m0-7-7 7" fill="none" stroke="currentColor" stroke-width="1.5" />
        </svg>
      </button>
    </div>
  );
}

/** Closes a toast. Its element is removed under the focus, so no event of leaving comes. */
function close(notification: Notification): void {
  void acknowledge(notification);
  toasts.release("focus");
}
