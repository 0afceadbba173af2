// hooks/useNotificationSSE.ts
import { useEffect, useRef, useCallback } from 'react';
import { useAuth } from '@/contexts/auth-context';
import { useNotificationContext } from '@/contexts/notification-context';

interface SSEHookOptions {
  enabled?: boolean;
  maxReconnectAttempts?: number;
  onError?: (error: Event) => void;
}

export const useNotificationSSE = (options: SSEHookOptions = {}) => {
  const { token } = useAuth();
  const { addNotification, updateUnreadCount } = useNotificationContext();
  const eventSourceRef = useRef<EventSource | null>(null);
  const reconnectAttemptsRef = useRef(0);
  const reconnectTimeoutRef = useRef<NodeJS.Timeout>();
  
  const {
    enabled = true,
    maxReconnectAttempts = 10,
    onError
  } = options;

  const connect = useCallback(() => {
    if (!token || !enabled || eventSourceRef.current?.readyState === EventSource.OPEN) {
      return;
    }

    try {
      // Close existing connection
      if (eventSourceRef.current) {
        eventSourceRef.current.close();
      }

      // Create new EventSource with auth headers
      const eventSource = new EventSource('/api/notifications/stream', {
        headers: {
          'Authorization': `Bearer ${token}`
        }
      });

      eventSourceRef.current = eventSource;

      eventSource.onopen = () => {
        console.log('SSE connection established');
        reconnectAttemptsRef.current = 0; // Reset reconnect attempts
      };

      eventSource.addEventListener('notification', (event) => {
        try {
          const notification = JSON.parse(event.data);
          addNotification(notification);
          
          // Show toast for important notifications
          if (notification.type === 'success' || notification.type === 'error') {
            toast(notification.title, { 
              type: notification.type,
              description: notification.message
            });
          }
        } catch (error) {
          console.error('Error parsing SSE notification:', error);
        }
      });

      eventSource.addEventListener('heartbeat', (event) => {
        console.debug('SSE heartbeat received:', event.data);
      });

      eventSource.onerror = (error) => {
        console.error('SSE connection error:', error);
        onError?.(error);
        
        if (eventSource.readyState === EventSource.CLOSED) {
          attemptReconnect();
        }
      };

    } catch (error) {
      console.error('Failed to create SSE connection:', error);
      attemptReconnect();
    }
  }, [token, enabled, addNotification, onError]);

  const attemptReconnect = useCallback(() => {
    if (reconnectAttemptsRef.current >= maxReconnectAttempts) {
      console.error('Max SSE reconnection attempts reached');
      return;
    }

    reconnectAttemptsRef.current += 1;
    const delay = Math.min(Math.pow(2, reconnectAttemptsRef.current - 1) * 1000, 30000);
    
    console.log(`Attempting SSE reconnect ${reconnectAttemptsRef.current}/${maxReconnectAttempts} in ${delay}ms`);
    
    reconnectTimeoutRef.current = setTimeout(() => {
      connect();
    }, delay);
  }, [connect, maxReconnectAttempts]);

  const disconnect = useCallback(() => {
    if (reconnectTimeoutRef.current) {
      clearTimeout(reconnectTimeoutRef.current);
    }
    
    if (eventSourceRef.current) {
      eventSourceRef.current.close();
      eventSourceRef.current = null;
    }
  }, []);

  // Connect on mount and token change
  useEffect(() => {
    if (enabled && token) {
      connect();
    }
    
    return disconnect;
  }, [connect, disconnect, enabled, token]);

  // Cleanup on unmount
  useEffect(() => {
    return disconnect;
  }, [disconnect]);

  return {
    isConnected: eventSourceRef.current?.readyState === EventSource.OPEN,
    reconnectAttempts: reconnectAttemptsRef.current,
    connect,
    disconnect
  };
};
