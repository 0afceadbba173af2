"""The list of a user's notifications: which of them are read, and how long they are kept.

A notification is read when its row has a ``read_at``, or when a read mark covers its sequence; the first such mark has
the time. So one row marks a hundred thousand notifications as read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.db.list_pages import bytes_of, read_page, sized_page
from app.db.statements import Statement, as_text
from app.errors import Foreign, NotFound
from app.inbox.notification import TYPES
from app.models.base import Id
from app.models.notifications import Inbox, Notification, ReadMark
from app.models.streams import Stream
from app.stream.event import BROADCAST, MAX_SEQUENCE, Draft, Event, draft, now, user_stream
from app.stream.store import Connect, lock_shared
from app.stream.transaction import Transaction

PRUNED_ROWS = 1_000

STORED = (
    *("id", "notification_type", "title", "message", "related_type", "related_id", "related_session_id"),
    *("action_url", "urgent", "metadata", "created_at", "tenant"),
)
_INSERT = f"INSERT INTO notifications (user_id, sequence, run_id, read_at, {', '.join(STORED)}) VALUES %s"
_REPLACE = """DELETE FROM notifications WHERE id = ANY(%s::uuid[])
    RETURNING user_id::text, read_at IS NULL AND NOT EXISTS (SELECT 1 FROM read_marks
        WHERE read_marks.user_id = notifications.user_id AND read_to >= sequence)"""

_user = sa.bindparam("user", type_=Id)
_mark = sa.select(sa.func.coalesce(sa.func.max(ReadMark.read_to), 0)).where(ReadMark.user_id == _user)
_above = Notification.sequence > _mark.scalar_subquery()
_marked_at = (
    sa.select(ReadMark.read_at)
    .where(ReadMark.user_id == Notification.user_id, ReadMark.read_to >= Notification.sequence)
    .order_by(ReadMark.read_to)
    .limit(1)
)


def _notifications(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Selects the notifications for which the conditions hold."""
    stored = (Notification.__table__.c[name] for name in STORED)
    read_at = sa.func.coalesce(Notification.read_at, _marked_at.scalar_subquery())
    return sa.select(Notification.sequence, *stored, read_at.label("read_at")).where(
        Notification.user_id == _user, Notification.sequence < sa.bindparam("before"), *conditions
    )


def _page(found: Any) -> Statement:
    texts = ("title", "message", "metadata")
    return Statement(
        sized_page(found, lambda of: [of.sequence.desc()], lambda of: (bytes_of(of[name]) for name in texts))
    )


def _newest(found: sa.Select[Any]) -> sa.Select[Any]:
    return found.order_by(Notification.sequence.desc()).limit(sa.bindparam("more"))


# All up to the highest mark are read, above it some are by themselves: each part is a range of an index.
_read = sa.union_all(
    _newest(_notifications(Notification.read_at.is_not(None), _above)),
    _newest(_notifications(sa.not_(_above))),
)
PAGES = {
    None: _page(_notifications()),
    True: _page(_notifications(Notification.read_at.is_(None), _above)),
    False: _page(_read),
}
"""The statement of a page by ``unread``; the parameters are those of ``page``."""

_unread = sa.select(Inbox.unread).where(Inbox.user_id == _user)
_UNREAD = Statement(_unread)
_last_seq = sa.select(Stream.last_seq).where(Stream.name == sa.bindparam("stream"))
_UNREAD_WITH_SEQUENCE = Statement(
    sa.select(*(sa.func.coalesce(found.scalar_subquery(), 0) for found in (_unread, _last_seq)))
)

_mark_read = sa.insert(ReadMark).values(
    user_id=_user, read_to=sa.bindparam("head"), read_at=sa.bindparam("at")
)
_MARK_ALL = Statement(
    sa.update(Inbox).where(Inbox.user_id == _user).values(unread=0).add_cte(_mark_read.cte("marked"))
)
_id = Notification.id == sa.bindparam("notification")
_its = Notification.user_id == _user, _id
_MARK_ONE = Statement(
    sa.update(Notification)
    .where(*_its, Notification.read_at.is_(None), _above)
    .values(read_at=sa.bindparam("at"))
)
_WHOSE = Statement(sa.select(*as_text(Notification.user_id)).where(_id))
# Decremented, not set: pruning decrements it too, without a lock on the stream.
_COUNT_DOWN = Statement(
    sa.update(Inbox).where(Inbox.user_id == _user).values(unread=Inbox.unread - 1).returning(Inbox.unread)
)

_cutoff = sa.func.now() - sa.bindparam("age")
_oldest = sa.select(Notification.user_id).where(Notification.created_at < _cutoff)
_LOCK_INBOXES = Statement(
    sa.select(*as_text(Inbox.user_id))
    .where(Inbox.user_id.in_(_oldest.order_by(Notification.created_at).limit(sa.bindparam("rows"))))
    .order_by(Inbox.user_id)
    .with_for_update(skip_locked=True)
)
# Literal: three steps of one statement, each of which changes rows, read better as SQL.
_PRUNE = """WITH gone AS (
        DELETE FROM notifications WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM notifications WHERE created_at < now() - %(age)s AND user_id = ANY(%(users)s::uuid[])
            ORDER BY created_at LIMIT %(rows)s FOR UPDATE SKIP LOCKED))
        RETURNING user_id, sequence, read_at),
    counted AS (
        UPDATE inboxes SET unread = inboxes.unread - old.unread FROM (
            SELECT user_id, count(*) AS unread FROM gone
            WHERE read_at IS NULL AND NOT EXISTS (SELECT 1 FROM read_marks
                WHERE read_marks.user_id = gone.user_id AND read_to >= sequence)
            GROUP BY user_id) AS old
        WHERE inboxes.user_id = old.user_id)
    SELECT count(*) FROM gone"""
_is_used = sa.exists().where(
    Notification.user_id == ReadMark.user_id, Notification.sequence <= ReadMark.read_to
)
_PRUNE_MARKS = Statement(sa.delete(ReadMark).where(ReadMark.read_at < _cutoff, ~_is_used))


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> None:
    """Stores the notifications and counts the unread ones. That of a run takes the place of the one before."""
    found = [(e, d.data) for e, d in events if e.type == "notification" and d.data and e.stream != BROADCAST]
    if not found:
        return
    users = [event.stream.partition(":")[2] for event, _ in found]
    rows = [
        (
            *(user_id, event.sequence, data["related_id"] if "replaces" in data else None, data["read_at"]),
            *(Json(data[n]) if n == "metadata" else data[n] for n in STORED),
        )
        for user_id, (event, data) in zip(users, found, strict=True)
    ]
    execute_values(cur, _INSERT, rows)
    unread = Counter(row[0] for row in rows if row[3] is None)
    if replaced := [data["replaces"] for _, data in found if data.get("replaces")]:
        cur.execute(_REPLACE, (replaced,))
        unread.subtract(user_id for user_id, was_unread in cur if was_unread)
    execute_values(
        cur,
        """INSERT INTO inboxes (user_id, unread) VALUES %s
           ON CONFLICT (user_id) DO UPDATE SET unread = inboxes.unread + EXCLUDED.unread""",
        sorted(unread.items()),
    )


def page(
    cur: Cursor, user_id: str, before: int | None, unread: bool | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """Returns notifications before a sequence, the newest first, and whether there are more; ``unread`` selects the
    unread or the read ones."""
    rows, has_more = read_page(cur, PAGES[unread], limit, user=user_id, before=before or MAX_SEQUENCE)
    return [_as_json(*row) for row in rows], has_more


def unread_count(cur: Cursor, user_id: str) -> int:
    row = _UNREAD.execute(cur, user=user_id).fetchone()
    return int(row[0]) if row else 0


def unread_with_sequence(cur: Cursor, user_id: str) -> tuple[int, int]:
    """Returns the number of unread notifications and the sequence of the user's stream at which it holds. One statement
    reads both: a notification between two statements would be counted again when the stream brings it."""
    ((unread, sequence),) = _UNREAD_WITH_SEQUENCE.execute(
        cur, user=user_id, stream=user_stream(user_id)
    ).fetchall()
    return int(unread), int(sequence)


def mark_read(tx: Transaction, user_id: str, id: str | None = None) -> int:
    """Marks one notification or all as read; returns how many are unread now. Raises NotFound.

    Notifications that are read already keep their time, and no event is appended for them.
    """
    cur, stream, at = tx.cur, user_stream(user_id), now()
    head = lock_shared(cur, {stream})[stream].last_seq
    left = _mark_all(cur, user_id, head, at) if id is None else _mark_one(cur, user_id, id, at)
    if left is None:
        return unread_count(cur, user_id)
    which = {"all": True} if id is None else {"ids": [id]}
    fields = {"timestamp": at, **which, "unread_count": left}
    tx.append([draft(stream, "notifications_read", fields, projected=False)])
    return left


def prune(connect: Connect, days: int) -> int:
    """Deletes notifications older than ``days``, read or not; returns how many. It skips users whose inbox is locked at
    the moment. No event is appended: the count in the next event is right."""
    deleted, count = 0, 1
    while count:
        with connect() as conn, conn.cursor() as cur:
            count = _prune_batch(cur, days)
            deleted += count
    with connect() as conn, conn.cursor() as cur:
        _PRUNE_MARKS.execute(cur, age=timedelta(days=days))
    return deleted


def _mark_all(cur: Cursor, user_id: str, head: int, at: str) -> int | None:
    if unread_count(cur, user_id) == 0:
        return None
    _MARK_ALL.execute(cur, user=user_id, head=head, at=at)
    return 0


def _mark_one(cur: Cursor, user_id: str, id: str, at: str) -> int | None:
    if _MARK_ONE.execute(cur, user=user_id, notification=id, at=at).rowcount:
        return int(_COUNT_DOWN.execute(cur, user=user_id).fetchall()[0][0])
    whose = [user for (user,) in _WHOSE.execute(cur, notification=id)]
    if user_id not in whose:
        raise (Foreign if whose else NotFound)("There is no such notification")
    return None


def _prune_batch(cur: Cursor, days: int) -> int:
    given = {"age": timedelta(days=days), "rows": PRUNED_ROWS}
    # The inboxes are locked first; notifying and marking lock them last. So no counted row is marked meanwhile.
    users = [user_id for (user_id,) in _LOCK_INBOXES.execute(cur, **given)]
    cur.execute(_PRUNE, given | {"users": users})
    return int(cur.fetchall()[0][0])


def _as_json(sequence: int, *row: Any) -> dict[str, Any]:
    *values, read_at = row
    fields = dict(zip(STORED, values, strict=True))
    return {
        "sequence": sequence,
        # In a rolling update, a newer process may have stored a type that this one does not know.
        "severity": TYPES.get(fields["notification_type"], "info"),
        **fields,
        "status": "unread" if read_at is None else "read",
        "read": read_at is not None,
        "read_at": read_at,
    }
