"""Publishing from anywhere in the code: an event of a user's stream, or of everybody's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.process import transaction
from app.stream.claims import claim_event_id
from app.stream.event import BROADCAST, Draft, draft, now, user_stream
from app.stream.store import lock_shared

PUBLISHED_BYTES = 256_000  # of JSON, as a task's result

# A client could not tell them from what the connection itself says.
CONTROL = frozenset(
    (
        *("connected", "heartbeat", "resync", "end", "token_expired", "ping"),
        *("open", "error", "connect", "connect_error", "disconnect", "disconnecting"),
    )
)
NOTIFICATIONS = frozenset(("notification", "notifications_read"))
# What the stream itself says of an event replaces what a publisher says of it.
_OURS = frozenset(("stream", "sequence", "timestamp"))


def stream_of(user_id: object) -> str:
    """The user's stream, however the id is written. ValueError when it is no UUID."""
    try:
        return user_stream(str(uuid.UUID(str(user_id))))
    except ValueError:
        raise ValueError(f"user_id: {user_id!r} is no UUID") from None


def publish(
    stream: str, type: str, data: Mapping[str, Any], event_id: str | None = None
) -> dict[str, Any] | None:
    """Appends an event to a user's stream or ``broadcast``, as EventService.publish says."""
    drafted = _drafted(stream, type, data)

    with transaction() as tx:
        must_be(tx.cur, stream)
        lock_shared(tx.cur, {stream})
        if event_id is not None and not claim_event_id(tx.cur, stream, event_id):
            return None
        appended = tx.append([drafted])
    return appended.events[0].decoded()


def must_be(cur: Cursor, stream: str) -> None:
    """LookupError when that is the stream of nobody."""
    if stream == BROADCAST:
        return
    user_id = stream.partition(":")[2]
    cur.execute("SELECT 1 FROM users WHERE id = %s", (user_id,))
    if not cur.fetchall():
        raise LookupError(f"there is no user {user_id}")


def _drafted(stream: str, type: str, data: Mapping[str, Any]) -> Draft:
    if type in CONTROL:
        raise ValueError(f"event_type: {type!r} is what connections say of themselves")
    if type in NOTIFICATIONS:
        raise ValueError(f"event_type: {type!r} is made by app.notifications.create_notification")
    fields = {name: value for name, value in data.items() if name not in _OURS}
    if stream != BROADCAST and "user_id" in fields and stream_of(fields.pop("user_id")) != stream:
        raise ValueError("user_id: the data names another user")
    drafted = draft(stream, type, {"timestamp": now(), **fields}, projected=False)
    if len(drafted.tail.encode()) > PUBLISHED_BYTES:
        raise ValueError(f"data: more than {PUBLISHED_BYTES:,} bytes of JSON")
    return drafted
