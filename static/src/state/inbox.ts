import type { Notification, NotificationPage } from "../client/types";

export type InboxFilter = "all" | "unread";

/** How many notifications are kept while the list is closed. */
export const KEPT = 20;

export interface Inbox {
  /** Newest first. */
  items: readonly Notification[];
  unread: number;
  /** The sequence of the user's stream up to which `unread` counts. */
  asOf: number;
  /** All up to this sequence are read. */
  readTo: number;
  readIds: ReadonlySet<string>;
  /** The cursor of the older page, by filter: everything from it on is in `items`. Null: there is no older page;
   * undefined: no page was loaded. */
  older: Readonly<Record<InboxFilter, string | null | undefined>>;
}

export type InboxEvent =
  | { kind: "notification"; notification: Notification }
  | { kind: "read"; sequence: number; ids: readonly string[] | "all"; unread: number }
  /** Marked by this page, before the event comes. */
  | { kind: "marked"; ids: readonly string[]; upTo: number }
  /** `since`: `asOf` at the request of the newest page; null of an older page. */
  | { kind: "page"; page: NotificationPage; filter: InboxFilter; since: number | null }
  /** The list was closed. */
  | { kind: "closed" };

export const EMPTY: Inbox = {
  items: [],
  unread: 0,
  asOf: 0,
  readTo: 0,
  readIds: new Set(),
  older: { all: undefined, unread: undefined },
};

const isAnnouncement = ({ stream }: Notification): boolean => stream === "broadcast";

/** Returns the inbox after one event. Events and pages may overlap in any way: nothing is listed or counted twice, and what
 * was read stays read. */
export function reduce(inbox: Inbox, event: InboxEvent): Inbox {
  switch (event.kind) {
    case "notification":
      return added(inbox, event.notification);
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

function added(inbox: Inbox, notification: Notification): Inbox {
  const { sequence, replaces, unread_count } = notification;
  const known = inbox.items.some(({ id }) => id === notification.id);
  const others = replaces ? inbox.items.filter(({ id }) => id !== replaces) : inbox.items;
  const items = known ? others : merge(others, [notification]);
  if (isAnnouncement(notification)) return { ...inbox, items };
  if (unread_count !== undefined && sequence !== undefined) {
    return sequence <= inbox.asOf ? { ...inbox, items } : { ...inbox, items, unread: unread_count, asOf: sequence };
  }
  // Other servers have no sequences; then only the id shows whether it is new.
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
  // A newest page that reaches the kept items extends them; another one leaves a gap, so that older pages load again.
  if (since !== null && inbox.older[filter] !== undefined && reaches) return after;
  const none = { all: undefined, unread: undefined };
  return { ...after, older: { ...(since === null ? inbox.older : none), [filter]: page.next } };
}

function closed(inbox: Inbox): Inbox {
  const items = inbox.items.slice(0, KEPT);
  const last = Math.min(...items.map(sequenceOf));
  if (inbox.items.length <= KEPT || last === Infinity) return inbox;
  const higher = (cursor: string | null | undefined): string | undefined =>
    cursor === undefined ? undefined : String(Math.max(last, Number(cursor)));
  // Items that are dropped are loaded again, with their own `read`.
  const readIds = new Set(items.map(({ id }) => id).filter((id) => inbox.readIds.has(id)));
  return { ...inbox, items, readIds, older: { all: higher(inbox.older.all), unread: higher(inbox.older.unread) } };
}

export function isUnread(inbox: Inbox, item: Notification): boolean {
  if (item.read || isAnnouncement(item) || inbox.readIds.has(item.id)) return false;
  return sequenceOf(item) > inbox.readTo;
}

/** Returns what the list shows: without items that are older than a page that was not loaded yet. */
export function shown(inbox: Inbox, filter: InboxFilter): Notification[] {
  const from = Number(inbox.older[filter] ?? 0);
  return inbox.items.filter(
    (item) => (isAnnouncement(item) || sequenceOf(item) >= from) && (filter === "all" || isUnread(inbox, item)),
  );
}

/** Returns the sequence in the user's stream; an announcement has none and counts as later than all. */
function sequenceOf(item: Notification): number {
  return isAnnouncement(item) ? Infinity : (item.sequence ?? Infinity);
}

/** Joins two lists by time, because the sequences of announcements are of another stream. */
function merge(items: readonly Notification[], more: readonly Notification[]): Notification[] {
  const known = new Set(items.map(({ id }) => id));
  const all = [...more.filter(({ id }) => !known.has(id)), ...items];
  const time = ({ created_at }: Notification): string => created_at ?? "9";
  return all.sort((one, other) => (time(one) === time(other) ? 0 : time(one) < time(other) ? 1 : -1));
}
