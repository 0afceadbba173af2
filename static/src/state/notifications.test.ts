// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { Notification, NotificationPage, TaskEvent } from "../client/types";
import { Notifications } from "./notifications";

const note = (sequence: number): Notification =>
  ({ id: `n${sequence}`, sequence, stream: "user:1", read: false, created_at: `2026-01-01T00:00:0${sequence}Z` }) as Notification;
const arrived = (sequence: number): TaskEvent => ({ ...note(sequence), type: "notification" });

/** The server: how many are unread as of its last event. */
const held = { notifications: [] as Notification[], unread: 0, sequence: 0 };
const calls = {
  notifications: vi.fn(
    async (): Promise<NotificationPage> => ({
      notifications: [...held.notifications],
      next: null,
      unread_count: held.unread,
      sequence: held.sequence,
    }),
  ),
  unreadCount: vi.fn(async () => held.unread),
  markRead: vi.fn(async () => undefined),
};
let hidden = false;
let bell: Notifications;
const arrive = (sequence: number): void => {
  Object.assign(held, { notifications: [note(sequence), ...held.notifications], unread: held.unread + 1, sequence });
};
const seconds = (many: number): Promise<unknown> => vi.advanceTimersByTimeAsync(many * 1_000);

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  Object.assign(held, { notifications: [], unread: 0, sequence: 0 });
  hidden = false;
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
  bell = new Notifications(calls);
  bell.start(1);
});
afterEach(() => {
  bell.stop();
  vi.useRealTimers();
});

test("it asks every 60 s while events come live, every 30 s while not, 10 s after an error", async () => {
  await seconds(30);
  expect(calls.unreadCount).toHaveBeenCalledTimes(1);
  bell.connected(true);
  await seconds(59);
  expect(calls.unreadCount).toHaveBeenCalledTimes(1);
  calls.unreadCount.mockRejectedValueOnce(new Problem(0, "The server does not answer"));
  await seconds(1);
  expect(calls.unreadCount).toHaveBeenCalledTimes(2);
  expect(bell.problem.value?.title).toBe("The server does not answer");
  await seconds(10);
  expect(calls.unreadCount).toHaveBeenCalledTimes(3);
  expect(bell.problem.value).toBeNull();
});

test("what is refused is asked for no sooner than otherwise", async () => {
  calls.unreadCount.mockRejectedValueOnce(new Problem(403, "Forbidden"));
  await seconds(30);
  expect(bell.problem.value?.title).toBe("Forbidden");
  await seconds(29);
  expect(calls.unreadCount).toHaveBeenCalledTimes(1);
  await seconds(1);
  expect(calls.unreadCount).toHaveBeenCalledTimes(2);
});

test("notifications that only the count shows are loaded", async () => {
  arrive(1);
  await seconds(30);
  expect(bell.inbox.value).toMatchObject({ unread: 1, items: [{ id: "n1" }] });
});

test("a count that includes an event which comes after it is not counted twice", async () => {
  arrive(1);
  await seconds(30);
  bell.take(arrived(1));
  expect(bell.inbox.value.unread).toBe(1);
  arrive(2);
  bell.take(arrived(2));
  expect(bell.inbox.value.unread).toBe(2);
  await seconds(30);
  expect(bell.inbox.value.unread).toBe(2);
  expect(calls.notifications).toHaveBeenCalledTimes(1);
});

test("a hidden page asks nothing, and at once when it is shown", async () => {
  hidden = true;
  await seconds(600);
  expect(calls.unreadCount).not.toHaveBeenCalled();
  hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));
  expect(calls.unreadCount).toHaveBeenCalledTimes(1);
});

test("without a stream, what is marked here is asked for, and by the other tabs too", async () => {
  const other = new Notifications(calls);
  other.start(1);
  arrive(1);
  await seconds(30);
  calls.notifications.mockClear();
  Object.assign(held, { unread: 0 });
  await bell.markRead("n1");
  await vi.waitFor(() => expect(other.inbox.value.unread).toBe(0), { timeout: 30_000 });
  expect(bell.inbox.value.unread).toBe(0);
  expect(calls.notifications).toHaveBeenCalledTimes(2);
  other.stop();
});

test("with a stream, the stream brings the new count", async () => {
  arrive(1);
  await seconds(30);
  bell.connected(true);
  calls.notifications.mockClear();
  await bell.markRead("n1");
  bell.take({ type: "notifications_read", stream: "user:1", sequence: 2, ids: ["n1"], unread_count: 0 });
  expect(bell.inbox.value.unread).toBe(0);
  expect(calls.notifications).not.toHaveBeenCalled();
});

test("a refused mark is shown as a problem, and nothing changes", async () => {
  arrive(1);
  await seconds(30);
  calls.markRead.mockRejectedValueOnce(new Problem(503, "Unavailable"));
  await bell.markRead("n1");
  expect(bell.problem.value?.status).toBe(503);
  expect(bell.inbox.value.unread).toBe(1);
});

test("the mark of an entry that another one replaced meanwhile loads the list again", async () => {
  arrive(1);
  await seconds(30);
  calls.notifications.mockClear();
  calls.markRead.mockRejectedValueOnce(new Problem(404, "Not Found"));
  await bell.markRead("n1");
  await seconds(0);
  expect(calls.notifications).toHaveBeenCalledTimes(1);
  expect(bell.problem.value).toBeNull();
});

test("an answer for one user is not shown to the next", async () => {
  arrive(1);
  bell.refresh();
  bell.start(2);
  await seconds(0);
  expect(bell.inbox.value.items).toEqual([]);
});

test("a closed bell keeps the newest twenty, an open one what was loaded", () => {
  const times = (from: number): void => {
    for (let n = from; n < from + 30; n++) bell.take({ ...arrived(n), created_at: `2026-01-01T00:${n}:00Z` });
  };
  times(10);
  expect(bell.inbox.value.items).toHaveLength(20);
  expect(bell.inbox.value.unread).toBe(30);
  bell.show("all");
  times(40);
  expect(bell.inbox.value.items).toHaveLength(50);
});

test("what comes while all are marked is not read", async () => {
  arrive(1);
  bell.take(arrived(1));
  calls.markRead.mockImplementationOnce(async () => void bell.take(arrived(2)));
  bell.connected(true);
  await bell.markRead(null);
  const { readIds, readTo } = bell.inbox.value;
  expect([[...readIds], readTo]).toEqual([["n1"], 1]);
});
