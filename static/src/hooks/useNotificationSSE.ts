import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { NotificationStream } from "../client/notificationStream";
import type { Notification } from "../client/types";
import { currentUser, session } from "../state/app";
import { notifications, onUserEvent } from "../state/bell";

interface SSEHookOptions {
  enabled?: boolean;
  maxReconnectAttempts?: number;
  onNotification?: (notification: Notification) => void;
  onError?: (error: Event) => void;
}

/** Notifications for a front end without a `Connection`: list, count and toasts come by an EventSource of its own, and by
 * polling when that has failed too often. */
export function useNotificationSSE(options: SSEHookOptions = {}) {
  const { enabled = true } = options;
  const latest = useRef(options);
  latest.current = options;
  const [, redraw] = useState({});
  const stream = useMemo(
    () =>
      new NotificationStream(
        () => session.token,
        () => latest.current.maxReconnectAttempts ?? 10,
        {
          notification: (notification) => {
            onUserEvent({ ...notification, type: "notification" });
            latest.current.onNotification?.(notification);
          },
          joined: () => notifications.refresh(),
          error: (error) => latest.current.onError?.(error),
          changed: () => {
            notifications.connected(stream.connected);
            redraw({});
          },
        },
      ),
    [],
  );

  const userId = enabled ? (currentUser.value?.id ?? null) : null;
  // A plain effect would be undone only after the page was drawn without the component.
  useLayoutEffect(() => {
    if (userId === null) return;
    notifications.start(userId);
    stream.connect();
    return () => {
      stream.disconnect();
      notifications.stop();
    };
  }, [stream, userId]);

  return {
    isConnected: stream.connected,
    reconnectAttempts: stream.attempts,
    connect: () => stream.connect(),
    disconnect: () => stream.disconnect(),
  };
}
