import type { Notification, NotificationPage } from "../client/types";

export type Filter = "all" | "unread";

/** How many are held while nobody looks for older ones. */
export const KEPT = 20;

export interface Inbox {
  /** Newest first. */
  items: readonly Notification[];
  unread: number;
  /** The sequence of the user's stream that `unread` is as of: what comes at or before it is counted already. */
  asOf: number;
  /** All up to this sequence are read. */
  readTo: number;
  readIds: ReadonlySet<string>;
  /** The cursor of the older page, by filter: everything from it on is in `items`. Null: there is no older page;
   * undefined: none was asked for. */
  older: Readonly<Record<Filter, string | null | undefined>>;
}

export type InboxEvent =
  | { kind: "told"; notification: Notification }
  | { kind: "read"; sequence: number; ids: readonly string[] | "all"; unread: number }
  /** Marked by this page, before the stream says so. */
  | { kind: "marked"; ids: readonly string[]; upTo: number }
  /** `since`: of the newest page, what `asOf` was when it was asked for; null of an older one. */
  | { kind: "page"; page: NotificationPage; filter: Filter; since: number | null }
  /** Nobody looks any more. */
  | { kind: "closed" };

export const EMPTY: Inbox = {
  items: [],
  unread: 0,
  asOf: 0,
  readTo: 0,
  readIds: new Set(),
  older: { all: undefined, unread: undefined },
};

export const isAnnouncement = ({ stream }: Notification): boolean => stream === "broadcast";

/** The bell after one event. Events and pages may overlap in any way: nothing is listed or counted twice, and what was
 * read once stays so. */
export function reduce(inbox: Inbox, event: InboxEvent): Inbox {
  switch (event.kind) {
    case "told":
      return told(inbox, event.notification);
    case "read":
      return read(inbox, event);
    case "marked":
      return marked(inbox, event);
    case "page":
      return paged(inbox, event);
    case "closed":
      return closed(inbox);
  }
}

function told(inbox: Inbox, notification: Notification): Inbox {
  const known = inbox.items.some(({ id }) => id === notification.id);
  const items = known ? inbox.items : merge(inbox.items, [notification]);
  if (isAnnouncement(notification)) return { ...inbox, items };
  const { sequence } = notification;
  // Other servers number nothing; then the id alone tells whether it is new.
  const counted = sequence === undefined ? known : sequence <= inbox.asOf;
  if (counted) return { ...inbox, items };
  const unread = inbox.unread + (isUnread(inbox, notification) ? 1 : 0);
  return { ...inbox, items, unread, asOf: sequence ?? inbox.asOf };
}

function read(inbox: Inbox, event: Extract<InboxEvent, { kind: "read" }>): Inbox {
  const after =
    event.ids === "all"
      ? { ...inbox, readTo: Math.max(inbox.readTo, event.sequence) }
      : { ...inbox, readIds: new Set([...inbox.readIds, ...event.ids]) };
  return event.sequence <= inbox.asOf ? after : { ...after, unread: event.unread, asOf: event.sequence };
}

function marked(inbox: Inbox, { ids, upTo }: Extract<InboxEvent, { kind: "marked" }>): Inbox {
  return { ...inbox, readTo: Math.max(inbox.readTo, upTo), readIds: new Set([...inbox.readIds, ...ids]) };
}

function paged(inbox: Inbox, { page, filter, since }: Extract<InboxEvent, { kind: "page" }>): Inbox {
  const counted = page.sequence >= inbox.asOf ? { unread: page.unread_count, asOf: page.sequence } : {};
  const after = { ...inbox, ...counted, items: merge(inbox.items, page.notifications) };
  const reaches = page.next === null || (since !== null && Number(page.next) <= since + 1);
  // A newest page that reaches what was held before makes it longer; one that does not leaves a hole behind it.
  if (since !== null && inbox.older[filter] !== undefined && reaches) return after;
  const none = { all: undefined, unread: undefined };
  return { ...after, older: { ...(since === null ? inbox.older : none), [filter]: page.next } };
}

function closed(inbox: Inbox): Inbox {
  const items = inbox.items.slice(0, KEPT);
  const last = Math.min(...items.map(placeOf));
  if (inbox.items.length <= KEPT || last === Infinity) return inbox;
  const higher = (cursor: string | null | undefined): string | undefined =>
    cursor === undefined ? undefined : String(Math.max(last, Number(cursor)));
  // What is let go is asked for again with its own word on whether it was read.
  const readIds = new Set(items.map(({ id }) => id).filter((id) => inbox.readIds.has(id)));
  return { ...inbox, items, readIds, older: { all: higher(inbox.older.all), unread: higher(inbox.older.unread) } };
}

export function isUnread(inbox: Inbox, item: Notification): boolean {
  if (item.read || isAnnouncement(item) || inbox.readIds.has(item.id)) return false;
  return placeOf(item) > inbox.readTo;
}

/** What is shown: without those that lie behind a page that is yet to be asked for. */
export function shown(inbox: Inbox, filter: Filter): Notification[] {
  const from = Number(inbox.older[filter] ?? 0);
  return inbox.items.filter(
    (item) => (isAnnouncement(item) || placeOf(item) >= from) && (filter === "all" || isUnread(inbox, item)),
  );
}

/** Of an announcement it is none of the user's stream. */
function placeOf(item: Notification): number {
  return isAnnouncement(item) ? Infinity : (item.sequence ?? Infinity);
}

/** By time, for announcements are numbered in another stream. */
function merge(items: readonly Notification[], more: readonly Notification[]): Notification[] {
  const known = new Set(items.map(({ id }) => id));
  const all = [...more.filter(({ id }) => !known.has(id)), ...items];
  const time = ({ created_at }: Notification): string => created_at ?? "9";
  return all.sort((one, other) => (time(one) === time(other) ? 0 : time(one) < time(other) ? 1 : -1));
}
