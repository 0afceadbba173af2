import { serverNow } from "../client/serverClock";
import type { Notification, TaskEvent } from "../client/types";
import type { Connection } from "../client/watch";
import { go } from "./address";
import { api } from "./app";
import { notifyDesktop } from "./desktop";
import { isUnread } from "./inbox";
import { asksApproval } from "./notification-approval";
import { isInSight, targetOf } from "./notification-target";
import { Notifications } from "./notifications";
import { interrupts, isNew, Toasts } from "./toasts";
import { speakOf } from "./voice";

export const notifications = new Notifications(api);
export const toasts = new Toasts();

/** Brings the user's notifications to the bell, the toasts, the desktop and the voice; returns a function that stops it. */
export function startNotifications(connection: Connection, userId: string | number): () => void {
  notifications.start(userId);
  const linkChanged = (): void => notifications.connected(connection.link.kind === "live");
  const unlisten = connection.listen(linkChanged);
  linkChanged();
  const watch = connection.user({ refresh: () => notifications.refresh(), event: onUserEvent });
  return () => {
    watch.stop();
    unlisten();
    notifications.stop();
    toasts.remove(() => true);
  };
}

/** Takes one event of the user's stream. Events of the past, which a reconnect brings, do not interrupt the user. */
export function onUserEvent(event: TaskEvent): void {
  notifications.take(event);
  if (event.type === "notifications_read") {
    const { ids } = event as { ids?: readonly string[] };
    toasts.remove(({ id }) => !ids || ids.includes(id));
  }
  // Decided elsewhere, or over: a toast must not ask for it any more.
  if (event.type === "approval_decided" || event.type === "task_completed") {
    toasts.remove((toast) => asksApproval(toast) && toast.related_id === event.task_id);
  }
  if (event.type === "notification") {
    const { replaces } = event as unknown as Notification;
    if (replaces) toasts.remove(({ id }) => id === replaces);
  }
  if (!isNew(String(event.timestamp), serverNow())) return;
  if (event.type === "notification") interrupt(event as unknown as Notification);
  speakOf(event);
}

function interrupt(notification: Notification): void {
  if (!interrupts(notification)) return;
  void notifyDesktop(notification, () => visit(notification));
  if (isInSight(notification)) return;
  // In a hidden tab only urgent ones become toasts; the bell has the others.
  if (!document.hidden || notification.urgent) toasts.add(notification);
}

/** Goes to what the notification is about. */
function visit(notification: Notification): void {
  const target = targetOf(notification);
  if (target?.here) go(target.to);
  else if (target) location.assign(target.to);
  void acknowledge(notification);
}

/** Marks a notification that the user has looked at as read, in every tab. */
export async function acknowledge(notification: Notification): Promise<void> {
  toasts.remove(({ id }) => id === notification.id);
  if (isUnread(notifications.inbox.value, notification)) await notifications.markRead(notification.id);
}
