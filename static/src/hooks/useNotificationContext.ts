import type { Notification } from "../client/types";
import { acknowledge, hear, notifications } from "../state/bell";
import { shown } from "../state/inbox";

/** What the bell holds, for a component that draws it in its own way. */
export function useNotificationContext() {
  const inbox = notifications.inbox.value;
  return {
    notifications: shown(inbox, "all"),
    unreadCount: inbox.unread,
    handleSSENotification: (notification: Notification): void => hear({ ...notification, type: "notification" }),
    markRead: acknowledge,
    markAllRead: (): Promise<void> => notifications.markRead(null),
  };
}
