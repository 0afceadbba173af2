// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from "vitest";
import type { Notification } from "../client/types";
import { session, signedIn } from "../state/app";
import { useNotificationContext } from "./useNotificationContext";
import { useNotificationSSE } from "./useNotificationSSE";

const mockToken = "header.payload.signature";
const user = { id: "1", email: "a@example.org", role: "operator", tenant: null };

class MockEventSource extends EventTarget {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly close = vi.fn();

  constructor(readonly url: string) {
    super();
  }
}

const created = (): Mock => EventSource as unknown as Mock;
const source = (place = 0): MockEventSource => created().mock.results[place]?.value as MockEventSource;
const message = (type: string, data: unknown, lastEventId = ""): MessageEvent =>
  new MessageEvent(type, { data: JSON.stringify(data), lastEventId });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "EventSource",
    vi.fn(function (url: string) {
      return new MockEventSource(url);
    }),
  );
  vi.stubGlobal("fetch", vi.fn(() => new Promise(() => undefined)));
  session.token = mockToken;
  signedIn.value = { kind: "in", user };
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("SSE Notification Integration", () => {
  it("should establish SSE connection with proper headers", () => {
    renderHook(() => useNotificationSSE());

    expect(EventSource).toHaveBeenCalledWith("/api/notifications/stream", {
      headers: {
        Authorization: `Bearer ${mockToken}`,
      },
    });
  });

  it("should handle incoming notification messages", () => {
    const mockOnNotification = vi.fn();
    renderHook(() => useNotificationSSE({ onNotification: mockOnNotification }));

    const notificationEvent = new MessageEvent("notification", {
      data: JSON.stringify({
        id: "123",
        title: "Test Notification",
        type: "success",
      }),
    });
    act(() => void source().dispatchEvent(notificationEvent));

    expect(mockOnNotification).toHaveBeenCalledWith({
      id: "123",
      title: "Test Notification",
      type: "success",
    });
  });

  it("should reconnect with exponential backoff on disconnect", () => {
    renderHook(() => useNotificationSSE());

    act(() => void source(0).dispatchEvent(new Event("error")));
    vi.advanceTimersByTime(1000);
    expect(EventSource).toHaveBeenCalledTimes(2);

    act(() => void source(1).dispatchEvent(new Event("error")));
    vi.advanceTimersByTime(2000);
    expect(EventSource).toHaveBeenCalledTimes(3);
  });

  it("should update notification state when SSE message received", () => {
    const { result } = renderHook(() => useNotificationContext());

    act(() => {
      result.current.handleSSENotification({
        id: "123",
        title: "New Notification",
        status: "unread",
        type: "success",
      } as unknown as Notification);
    });

    expect(result.current.notifications).toContainEqual(
      expect.objectContaining({
        id: "123",
        title: "New Notification",
      }),
    );
    expect(result.current.unreadCount).toBe(1);
  });

  it("should close SSE connection on component unmount", () => {
    const { unmount } = renderHook(() => useNotificationSSE());

    unmount();

    expect(source().close).toHaveBeenCalled();
  });
});

describe("beyond the printed tests", () => {
  it("goes on from the last event, and counts attempts from the last connection on", () => {
    const { result } = renderHook(() => useNotificationSSE());
    act(() => void source(0).dispatchEvent(new Event("open")));
    expect(result.current.isConnected).toBe(true);
    act(() => void source(0).dispatchEvent(message("connected", {}, "7")));
    act(() => void source(0).dispatchEvent(message("notification", { id: "1", title: "" }, "9")));
    act(() => void source(0).dispatchEvent(new Event("error")));
    expect(result.current).toMatchObject({ isConnected: false, reconnectAttempts: 1 });
    vi.advanceTimersByTime(1000);
    expect(source(1).url).toBe("/api/notifications/stream?since_sequence=9");
    act(() => void source(1).dispatchEvent(message("connected", {}, "9")));
    expect(result.current.reconnectAttempts).toBe(0);
  });

  it("comes back ten times, after 1, 2, 4, 8, 16 and then 30 s, unless another number is given", () => {
    vi.spyOn(Math, "random").mockReturnValue(0); // jitter only shortens: these are the longest
    const { result } = renderHook(() => useNotificationSSE());
    const waits = [1, 2, 4, 8, 16, 30, 30, 30, 30, 30];
    for (const [place, seconds] of waits.entries()) {
      act(() => void source(place).dispatchEvent(new Event("error")));
      expect(result.current.reconnectAttempts).toBe(place + 1);
      vi.advanceTimersByTime(seconds * 1_000 - 1);
      expect(EventSource).toHaveBeenCalledTimes(place + 1);
      vi.advanceTimersByTime(1);
      expect(EventSource).toHaveBeenCalledTimes(place + 2);
    }
    act(() => void source(10).dispatchEvent(new Event("error")));
    vi.advanceTimersByTime(3_600_000);
    expect(EventSource).toHaveBeenCalledTimes(11);
    expect(result.current.isConnected).toBe(false);
  });

  it("gives up after so many attempts, and is there again when asked", () => {
    const { result } = renderHook(() => useNotificationSSE({ maxReconnectAttempts: 2 }));
    for (const place of [0, 1, 2]) {
      act(() => void source(place).dispatchEvent(new Event("error")));
      vi.advanceTimersByTime(60_000);
    }
    expect(EventSource).toHaveBeenCalledTimes(3);
    result.current.connect();
    expect(EventSource).toHaveBeenCalledTimes(4);
  });

  it("waits for a user to sign in, and can be off", () => {
    signedIn.value = { kind: "out", left: false };
    renderHook(() => useNotificationSSE());
    renderHook(() => useNotificationSSE({ enabled: false }));
    expect(EventSource).not.toHaveBeenCalled();
    act(() => {
      signedIn.value = { kind: "in", user };
    });
    expect(EventSource).toHaveBeenCalledTimes(1);
  });
});
