import type { Connection } from "../client/watch";
import { serverNow } from "../client/serverClock";
import type { Notification, TaskEvent } from "../client/types";
import { api, go } from "./app";
import { notifyOutside } from "./desktop";
import { Notifications } from "./notifications";
import { isUnread } from "./inbox";
import { isInSight, placeOf } from "./notification-target";
import { interrupts, isNew, Toasts } from "./toasts";
import { speakOf } from "./voice";

export const notifications = new Notifications(api);
export const toasts = new Toasts();

/** Brings what a user is told to the bell, the toasts, the desktop and the ear; returns how to stop that. */
export function ring(connection: Connection, userId: string | number): () => void {
  notifications.start(userId);
  const follow = (): void => notifications.connected(connection.link.kind === "live");
  const unlisten = connection.listen(follow);
  follow();
  const watch = connection.user({ refresh: () => notifications.refresh(), event: hear });
  return () => {
    watch.stop();
    unlisten();
    notifications.stop();
    toasts.remove(() => true);
  };
}

/** One event of the user's stream, as it comes. What a reconnect brings of the past interrupts nobody. */
export function hear(event: TaskEvent): void {
  notifications.hear(event);
  if (event.type === "notifications_read") {
    const { ids } = event as { ids?: readonly string[] };
    toasts.remove(({ id }) => !ids || ids.includes(id));
  }
  if (!isNew(String(event.timestamp), serverNow())) return;
  if (event.type === "notification") interrupt(event as unknown as Notification);
  speakOf(event);
}

function interrupt(notification: Notification): void {
  if (!interrupts(notification)) return;
  void notifyOutside(notification, () => visit(notification));
  if (isInSight(notification)) return;
  // Whoever comes back to a hidden tab finds in the bell what has passed; what is urgent waits.
  if (!document.hidden || notification.urgent) toasts.add(notification);
}

/** Goes where it leads within the dashboard. */
function visit(notification: Notification): void {
  const place = placeOf(notification);
  if (place?.here) go(place.to);
  else if (place) location.assign(place.to);
  acknowledge(notification);
}

/** It was looked at, here and so in every tab. */
export function acknowledge(notification: Notification): void {
  toasts.remove(({ id }) => id === notification.id);
  if (isUnread(notifications.inbox.value, notification)) void notifications.markRead(notification.id);
}
