"""The rows of notifications and the number of unread ones of each user, written in their events' transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.stream.event import BROADCAST, Draft, Event

STORED = (
    *("id", "notification_type", "title", "message", "related_type", "related_id", "related_session_id"),
    *("action_url", "urgent", "metadata", "created_at", "tenant"),
)
_INSERT = f"INSERT INTO notifications (user_id, sequence, {', '.join(STORED)}) VALUES %s"


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
    """Stores the notifications among the events and counts them as unread. No event follows from them."""
    found = [(e, d.data) for e, d in events if e.type == "notification" and d.data and e.stream != BROADCAST]
    if not found:
        return ()
    users = [event.stream.partition(":")[2] for event, _ in found]
    rows = [
        (user_id, event.sequence, *(Json(data[n]) if n == "metadata" else data[n] for n in STORED))
        for user_id, (event, data) in zip(users, found, strict=True)
    ]
    execute_values(cur, _INSERT, rows)
    execute_values(
        cur,
        """INSERT INTO inboxes (user_id, unread) VALUES %s
           ON CONFLICT (user_id) DO UPDATE SET unread = inboxes.unread + EXCLUDED.unread""",
        sorted(Counter(users).items()),
    )
    return ()
