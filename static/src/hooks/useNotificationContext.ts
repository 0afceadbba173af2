import type { Notification } from "../client/types";
import { acknowledge, notifications, onUserEvent } from "../state/bell";
import { shown } from "../state/inbox";

/** The notifications of the bell, for a component that draws them in its own way. */
export function useNotificationContext() {
  const inbox = notifications.inbox.value;
  return {
    notifications: shown(inbox, "all"),
    unreadCount: inbox.unread,
    handleSSENotification: (notification: Notification): void => onUserEvent({ ...notification, type: "notification" }),
    markRead: acknowledge,
    markAllRead: (): Promise<void> => notifications.markRead(null),
  };
}
