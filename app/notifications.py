"""Notifications: what a user is to see, whether watching or not. Each is a row and an event of the user's stream."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg2.errors import ForeignKeyViolation
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app import appending
from app.errors import NotFound
from app.stream.event import BROADCAST, MAX_SEQUENCE, Draft, Event, cut, draft, now, user_stream
from app.stream.store import Appended, Connect, append, lock_shared

SEVERITIES = ("info", "success", "warning", "error")
TYPES: Mapping[str, str] = {
    "approval_required": "warning",
    "content_ready": "success",
    "content_approved": "success",
    "content_rejected": "warning",
    "content_published": "success",
    "generation_started": "info",
    "generation_complete": "success",
    "generation_failed": "error",
    "payment_received": "success",
    "payment_failed": "error",
    "subscription_expiring": "warning",
    "trial_expiring": "warning",
    "system_announcement": "info",
    "mention": "info",
    **{severity: severity for severity in SEVERITIES},
}
NOTIFICATION_EVENTS = frozenset({"notification", "notifications_read"})
PRUNED_ROWS = 1_000
LONGEST_TITLE = LONGEST_URL = 255
LONGEST_MESSAGE = 10_000
"""Characters. A longer title or message is cut, and says so; a longer address would lead nowhere: ValueError."""

_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_STORED = (
    *("id", "notification_type", "title", "message", "related_type", "related_id", "related_session_id"),
    *("action_url", "urgent", "metadata", "created_at", "tenant"),
)
_INSERT = f"INSERT INTO notifications (user_id, sequence, {', '.join(_STORED)}) VALUES %s"
_SELECT = f"""SELECT sequence, id::text, {", ".join(_STORED[1:-2])},
    {_TIME.format("created_at")}, tenant, {_TIME.format("read_at")} FROM notifications"""


def notification(
    stream: str,
    title: str,
    message: str,
    type: str = "info",
    *,
    tenant: str | None = None,
    related_type: str | None = None,
    related_id: str | None = None,
    related_session_id: str | None = None,
    action_url: str | None = None,
    urgent: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Draft:
    """Its event on that stream; a user's gets a row of it. Raises ValueError, naming the field."""
    if type not in TYPES:
        raise ValueError(f"type: {type!r} is none of {', '.join(TYPES)}")
    if not title:
        raise ValueError("title: a notification has one")
    if action_url and len(action_url) > LONGEST_URL:
        raise ValueError(f"action_url: longer than {LONGEST_URL} characters")
    at = now()
    fields = {
        "timestamp": at,
        "id": str(uuid.uuid4()),
        "notification_type": type,
        "severity": TYPES[type],
        "title": title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        "message": cut(message, LONGEST_MESSAGE),
        "related_type": related_type,
        "related_id": related_id,
        "related_session_id": related_session_id,
        "action_url": action_url,
        "urgent": urgent,
        "metadata": dict(metadata or {}),
        "status": "unread",
        "read": False,
        "read_at": None,
        "created_at": at,
        "tenant": tenant,
    }
    return draft(stream, "notification", fields)


def create_notification(
    user_id: str, title: str, message: str, type: str = "info", **fields: Any
) -> dict[str, Any]:
    """Tells a user something, now and in the list. Returns it as its event has it, with ``sequence``.

    ``fields``: related_type, related_id, related_session_id, action_url, urgent, metadata. Works in a web process, in
    a task and in a script that has the environment. LookupError when there is no such user; ValueError for an id or
    a field that cannot be; StoreAway.
    """
    user_id = str(uuid.UUID(str(user_id)))  # in other letters it would name another stream

    def create(cur: Cursor) -> Appended:
        stream = user_stream(user_id)
        lock_shared(cur, {stream})
        tenant = tenants(cur, [user_id]).get(user_id)
        told = notification(stream, title, message, type, tenant=tenant, **fields)
        return _append(cur, told)

    try:
        return appending.append(create).events[0].decoded()
    except ForeignKeyViolation:
        raise LookupError(f"there is no user {user_id}") from None


def announce(cur: Cursor, title: str, message: str, **fields: Any) -> Appended:
    """Tells everybody; it is an event of ``broadcast`` and in nobody's list. Raises ValueError, naming the field."""
    lock_shared(cur, {BROADCAST})
    return _append(cur, notification(BROADCAST, title, message, "system_announcement", **fields))


def _append(cur: Cursor, told: Draft) -> Appended:
    from app.projections import project as everything  # which knows this module, and webhooks

    return append(cur, [told], everything)


def tenants(cur: Cursor, user_ids: Iterable[str]) -> dict[str, str | None]:
    cur.execute("SELECT id::text, tenant FROM users WHERE id = ANY(%s::uuid[])", (list(user_ids),))
    return dict(cur.fetchall())


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
    """The rows of the notifications among the events, and how many their users have not read. Nothing follows."""
    told = [(e, d.data) for e, d in events if e.type == "notification" and d.data and e.stream != BROADCAST]
    if not told:
        return ()
    users = [event.stream.partition(":")[2] for event, _ in told]
    rows = [
        (user_id, event.sequence, *(Json(data[n]) if n == "metadata" else data[n] for n in _STORED))
        for user_id, (event, data) in zip(users, told, strict=True)
    ]
    execute_values(cur, _INSERT, rows)
    execute_values(
        cur,
        """INSERT INTO inboxes (user_id, unread) VALUES %s
           ON CONFLICT (user_id) DO UPDATE SET unread = inboxes.unread + EXCLUDED.unread""",
        sorted(Counter(users).items()),
    )
    return ()


def page(
    cur: Cursor, user_id: str, before: int | None, unread: bool | None, limit: int
) -> list[dict[str, Any]]:
    """The newest first, from before a sequence on; ``unread`` narrows to those that are, or are not."""
    cur.execute(
        f"""{_SELECT} WHERE user_id = %s AND sequence < %s AND (%s IS NULL OR (read_at IS NULL) = %s)
            ORDER BY sequence DESC LIMIT %s""",
        (user_id, MAX_SEQUENCE if before is None else before, unread, unread, limit),
    )
    return [_shown(*row) for row in cur]


def unread_count(cur: Cursor, user_id: str) -> int:
    cur.execute("SELECT unread FROM inboxes WHERE user_id = %s", (user_id,))
    row = cur.fetchone()
    return int(row[0]) if row else 0


def mark_read(cur: Cursor, user_id: str, id: str | None = None) -> tuple[Appended, int]:
    """Marks one, or all; returns what was appended and how many are unread now. Raises NotFound.

    What was read before stays as it was, and is no event.
    """
    stream, at = user_stream(user_id), now()
    lock_shared(cur, {stream})
    cur.execute(
        """UPDATE notifications SET read_at = %s
           WHERE user_id = %s AND read_at IS NULL AND (%s::uuid IS NULL OR id = %s)""",
        (at, user_id, id, id),
    )
    if not cur.rowcount:
        if id is not None:
            cur.execute("SELECT 1 FROM notifications WHERE user_id = %s AND id = %s", (user_id, id))
            if not cur.fetchall():
                raise NotFound("There is no such notification")
        return Appended(), unread_count(cur, user_id)
    cur.execute(
        "UPDATE inboxes SET unread = unread - %s WHERE user_id = %s RETURNING unread", (cur.rowcount, user_id)
    )
    unread = int(cur.fetchall()[0][0])
    which = {"all": True} if id is None else {"ids": [id]}
    fields = {"timestamp": at, **which, "unread_count": unread}
    return _append(cur, draft(stream, "notifications_read", fields, projected=False)), unread


def prune(connect: Connect, days: int) -> int:
    """Deletes what is older, read or not; returns how many. In short transactions, and what somebody has locked stays
    for the next time: a user who reads waits for nothing here."""
    deleted, full = 0, True
    while full:
        with connect() as conn, conn.cursor() as cur:
            cur.execute(
                """WITH gone AS (
                       DELETE FROM notifications WHERE ctid = ANY(ARRAY(
                           SELECT ctid FROM notifications WHERE created_at < now() - make_interval(days => %s)
                           ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))
                       RETURNING user_id, read_at),
                   counted AS (
                       UPDATE inboxes SET unread = inboxes.unread - old.unread FROM (
                           SELECT user_id, count(*) FILTER (WHERE read_at IS NULL) AS unread
                           FROM gone GROUP BY user_id) AS old
                       WHERE inboxes.user_id = old.user_id)
                   SELECT count(*) FROM gone""",
                (days, PRUNED_ROWS),
            )
            count = int(cur.fetchall()[0][0])
        deleted, full = deleted + count, count == PRUNED_ROWS
    return deleted


def _shown(sequence: int, *stored: Any) -> dict[str, Any]:
    *values, read_at = stored
    shown = dict(zip(_STORED, values, strict=True))
    read = {
        "status": "unread" if read_at is None else "read",
        "read": read_at is not None,
        "read_at": read_at,
    }
    return {"sequence": sequence, "severity": TYPES[shown["notification_type"]], **shown, **read}
