import { expect, test } from "vitest";
import type { Notification, NotificationPage } from "../client/types";
import { EMPTY, isUnread, reduce, shown, type Inbox, type InboxEvent } from "./inbox";

const note = (sequence: number, more: Partial<Notification> = {}): Notification => ({
  id: `n${sequence}`,
  sequence,
  stream: "user:1",
  notification_type: "info",
  severity: "info",
  title: `Number ${sequence}`,
  message: "",
  related_type: null,
  related_id: null,
  action_url: null,
  urgent: false,
  read: false,
  created_at: `2026-01-01T00:00:${String(sequence).padStart(9, "0")}Z`,
  ...more,
});
const arrived = (sequence: number, more = {}): InboxEvent => ({ kind: "notification", notification: note(sequence, more) });
const read = (sequence: number, ids: string[] | "all", unread: number): InboxEvent => ({
  kind: "read",
  sequence,
  ids,
  unread,
});
/** The newest of `held` (in ascending order) from before a sequence on, as the server pages them. */
const page = (held: Notification[], unread: number, sequence: number, before = Infinity, limit = 3): NotificationPage => {
  const from = held.filter((one) => one.sequence < before).reverse();
  const notifications = from.slice(0, limit);
  const next = from.length > limit ? String(notifications.at(-1)?.sequence) : null;
  return { notifications, next, unread_count: unread, sequence };
};
const newest = (of: NotificationPage, since = 0): InboxEvent => ({ kind: "page", page: of, filter: "all", since });
const older = (of: NotificationPage): InboxEvent => ({ kind: "page", page: of, filter: "all", since: null });
const after = (...events: InboxEvent[]): Inbox => events.reduce(reduce, EMPTY);
const ids = (inbox: Inbox, filter: "all" | "unread" = "all"): string[] => shown(inbox, filter).map(({ id }) => id);

test("an event and a page that overlap are counted once, in either order", () => {
  const both = page([note(5), note(7)], 2, 7);
  expect(after(newest(both), arrived(7)).unread).toBe(2);
  expect(after(arrived(7), newest(both)).unread).toBe(2);
  expect(ids(after(arrived(7), newest(both), arrived(7)))).toEqual(["n7", "n5"]);
});

test("a page that was asked for before an event does not take it back", () => {
  const inbox = after(newest(page([note(5)], 1, 5)), arrived(7), newest(page([note(5)], 1, 6), 5));
  expect(inbox.unread).toBe(2);
  expect(ids(inbox)).toEqual(["n7", "n5"]);
});

test("what is read in another tab is read here, whatever page comes late", () => {
  const stale = page([note(5), note(6)], 2, 6);
  const one = after(newest(stale), read(7, ["n5"], 1), newest(stale, 6));
  expect(one.unread).toBe(1);
  expect(ids(one, "unread")).toEqual(["n6"]);
  const all = after(newest(stale), read(7, "all", 0), arrived(8));
  expect(all.unread).toBe(1);
  expect(ids(all, "unread")).toEqual(["n8"]);
});

test("a read that the page knows already does not bring back the older count", () => {
  expect(after(newest(page([note(5), note(8)], 1, 8)), read(6, ["n4"], 1), arrived(8)).unread).toBe(1);
});

test("what this page marked is read before the event comes", () => {
  const inbox = after(newest(page([note(5), note(6)], 2, 6)), { kind: "marked", ids: ["n6"], upTo: 0 });
  expect(ids(inbox, "unread")).toEqual(["n5"]);
  const none = reduce(inbox, { kind: "marked", ids: ["n5", "n6"], upTo: 6 });
  expect(ids(none, "unread")).toEqual([]);
  expect(ids(reduce(none, arrived(7)), "unread")).toEqual(["n7"]);
});

test("an announcement is listed by its time, never counted and never unread", () => {
  const announcement = { id: "a", stream: "broadcast", sequence: 99, created_at: note(6).created_at };
  const inbox = after(newest(page([note(5), note(7)], 2, 7)), arrived(99, announcement), arrived(8));
  expect(inbox.unread).toBe(3);
  expect(ids(inbox)).toEqual(["n8", "n7", "a", "n5"]);
  expect(isUnread(inbox, note(99, announcement))).toBe(false);
});

test("a newest page that does not reach what is held hides what lies behind the hole until it is asked for", () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((sequence) => note(sequence));
  const before = after(newest(page(all.slice(0, 3), 3, 3)));
  const holed = reduce(before, newest(page(all, 9, 9), 3));
  expect(ids(holed)).toEqual(["n9", "n8", "n7"]);
  const filled = [7, 4].reduce((inbox, from) => reduce(inbox, older(page(all, 9, 9, from))), holed);
  expect(ids(filled)).toEqual(["n9", "n8", "n7", "n6", "n5", "n4", "n3", "n2", "n1"]);
  const joined = reduce(before, newest(page(all.slice(0, 5), 5, 5), 3));
  expect(ids(joined)).toEqual(["n5", "n4", "n3", "n2", "n1"]);
});

test("closed, it holds the newest twenty, and the older ones can be asked for again", () => {
  const all = Array.from({ length: 30 }, (_, place) => note(place + 1));
  const inbox = after(newest(page(all, 30, 30, Infinity, 30)), { kind: "closed" });
  expect(inbox.items).toHaveLength(20);
  expect(inbox.unread).toBe(30);
  expect(inbox.older.all).toBe("11");
  expect(ids(reduce(inbox, older(page(all, 30, 30, 11, 20))))).toHaveLength(30);
});

test("a run has one entry, which changes, and the event says how many are unread", () => {
  const asked = arrived(5, { id: "asked", replaces: null, unread_count: 3 });
  const failed = arrived(7, { id: "failed", replaces: "asked", unread_count: 3 });
  const before = after(newest(page([note(3), note(4)], 2, 4)), asked);
  expect([before.unread, ids(before)]).toEqual([3, ["asked", "n4", "n3"]]);
  const changed = reduce(before, failed);
  expect([changed.unread, ids(changed)]).toEqual([3, ["failed", "n4", "n3"]]);
  expect(reduce(changed, failed)).toEqual(changed);
});

test("an entry that changes stays read where the server says so, also when this page does not hold it", () => {
  const done = arrived(9, { id: "done", replaces: "long ago", unread_count: 0, read: true });
  const inbox = after(newest(page([note(3)], 0, 4)), done);
  expect([inbox.unread, ids(inbox, "unread")]).toEqual([0, ["n3"]]);
});
