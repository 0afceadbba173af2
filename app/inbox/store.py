"""The list of a user's notifications: which of them are read, and how long they are kept.

A notification is read when its row has a ``read_at``, or when a read mark covers its sequence; the first such mark has
the time. So one row marks a hundred thousand notifications as read.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.sql import TIME_TEXT
from app.errors import NotFound
from app.inbox.notification import TYPES
from app.inbox.projection import STORED
from app.stream.event import MAX_SEQUENCE, draft, now, user_stream
from app.stream.store import Connect, lock_shared
from app.stream.transaction import Transaction

PRUNED_ROWS = 1_000

_MARK = "(SELECT coalesce(max(read_to), 0) FROM read_marks WHERE user_id = %(user)s)"
_READ_AT = """coalesce(read_at, (SELECT marks.read_at FROM read_marks AS marks
    WHERE marks.user_id = notifications.user_id AND read_to >= sequence ORDER BY read_to LIMIT 1))"""
_SELECT = f"""(SELECT sequence, id::text, {", ".join(STORED[1:-2])}, {TIME_TEXT.format("created_at")}, tenant,
    {TIME_TEXT.format(_READ_AT)} FROM notifications WHERE user_id = %(user)s AND sequence < %(before)s AND {{}}
    ORDER BY sequence DESC LIMIT %(limit)s)"""
_OLD = "created_at < now() - make_interval(days => %(days)s)"

# All up to the highest mark are read, above it some are by themselves: each part is a range of an index.
PAGES = {
    None: _SELECT.format("true"),
    True: _SELECT.format(f"read_at IS NULL AND sequence > {_MARK}"),
    False: " UNION ALL ".join(
        _SELECT.format(part)
        for part in (f"read_at IS NOT NULL AND sequence > {_MARK}", f"sequence <= {_MARK}")
    )
    + " ORDER BY sequence DESC LIMIT %(limit)s",
}
"""The statement of a page by ``unread``; the parameters are those of ``page``."""


def page(
    cur: Cursor, user_id: str, before: int | None, unread: bool | None, limit: int
) -> list[dict[str, Any]]:
    """Returns notifications before a sequence, the newest first; ``unread`` selects the unread or the read ones."""
    before = MAX_SEQUENCE if before is None else before
    cur.execute(PAGES[unread], {"user": user_id, "before": before, "limit": limit})
    return [_as_json(*row) for row in cur]


def unread_count(cur: Cursor, user_id: str) -> int:
    cur.execute("SELECT unread FROM inboxes WHERE user_id = %s", (user_id,))
    row = cur.fetchone()
    return int(row[0]) if row else 0


def unread_with_sequence(cur: Cursor, user_id: str) -> tuple[int, int]:
    """Returns the number of unread notifications and the sequence of the user's stream at which it holds. One statement
    reads both: a notification between two statements would be counted again when the stream brings it."""
    cur.execute(
        """SELECT coalesce(unread, 0), coalesce(last_seq, 0) FROM (VALUES (%s::uuid, %s)) AS of (user_id, stream)
           LEFT JOIN inboxes ON inboxes.user_id = of.user_id LEFT JOIN streams ON name = stream""",
        (user_id, user_stream(user_id)),
    )
    ((unread, sequence),) = cur.fetchall()
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
        cur.execute(
            """DELETE FROM read_marks WHERE read_at < now() - make_interval(days => %s) AND NOT EXISTS (
                   SELECT 1 FROM notifications
                   WHERE notifications.user_id = read_marks.user_id AND sequence <= read_to)""",
            (days,),
        )
    return deleted


def _mark_all(cur: Cursor, user_id: str, head: int, at: str) -> int | None:
    if unread_count(cur, user_id) == 0:
        return None
    cur.execute(
        """INSERT INTO read_marks (user_id, read_to, read_at) VALUES (%s, %s, %s);
           UPDATE inboxes SET unread = 0 WHERE user_id = %s""",
        (user_id, head, at, user_id),
    )
    return 0


def _mark_one(cur: Cursor, user_id: str, id: str, at: str) -> int | None:
    cur.execute(
        f"""UPDATE notifications SET read_at = %(at)s
            WHERE user_id = %(user)s AND id = %(id)s AND read_at IS NULL AND sequence > {_MARK}""",
        {"at": at, "user": user_id, "id": id},
    )
    if cur.rowcount:
        # Decremented, not set: pruning decrements it too, without a lock on the stream.
        cur.execute("UPDATE inboxes SET unread = unread - 1 WHERE user_id = %s RETURNING unread", (user_id,))
        return int(cur.fetchall()[0][0])
    cur.execute("SELECT 1 FROM notifications WHERE user_id = %s AND id = %s", (user_id, id))
    if not cur.fetchall():
        raise NotFound("There is no such notification")
    return None


def _prune_batch(cur: Cursor, days: int) -> int:
    # The inboxes are locked first; notifying and marking lock them last. So no counted row is marked meanwhile.
    cur.execute(
        f"""SELECT user_id FROM inboxes WHERE user_id IN (
                SELECT user_id FROM notifications WHERE {_OLD} ORDER BY created_at LIMIT %(rows)s)
            ORDER BY user_id FOR UPDATE SKIP LOCKED""",
        {"days": days, "rows": PRUNED_ROWS},
    )
    users = [user_id for (user_id,) in cur]
    cur.execute(
        f"""WITH gone AS (
                DELETE FROM notifications WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM notifications WHERE {_OLD} AND user_id = ANY(%(users)s::uuid[])
                    ORDER BY created_at LIMIT %(rows)s FOR UPDATE SKIP LOCKED))
                RETURNING user_id, sequence, read_at),
            counted AS (
                UPDATE inboxes SET unread = inboxes.unread - old.unread FROM (
                    SELECT user_id, count(*) AS unread FROM gone
                    WHERE read_at IS NULL AND NOT EXISTS (SELECT 1 FROM read_marks
                        WHERE read_marks.user_id = gone.user_id AND read_to >= sequence)
                    GROUP BY user_id) AS old
                WHERE inboxes.user_id = old.user_id)
            SELECT count(*) FROM gone""",
        {"days": days, "rows": PRUNED_ROWS, "users": users},
    )
    return int(cur.fetchall()[0][0])


def _as_json(sequence: int, *row: Any) -> dict[str, Any]:
    *values, read_at = row
    fields = dict(zip(STORED, values, strict=True))
    return {
        "sequence": sequence,
        "severity": TYPES[fields["notification_type"]],
        **fields,
        "status": "unread" if read_at is None else "read",
        "read": read_at is not None,
        "read_at": read_at,
    }
