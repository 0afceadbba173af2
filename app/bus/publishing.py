"""Publishes events on the stream of a user or on ``broadcast``, from any code."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.inbox.notification import NOTIFICATION_EVENTS
from app.process_transactions import transaction
from app.stream.claims import claim_event_id
from app.stream.event import BROADCAST, Draft, draft, now, user_stream
from app.stream.store import lock_shared

PUBLISHED_BYTES = 256_000  # of JSON, like the result of a task

# A client could not distinguish these events from control frames of the connection.
CONTROL = frozenset(
    (
        *("connected", "heartbeat", "resync", "end", "token_expired", "ping"),
        *("open", "error", "connect", "connect_error", "disconnect", "disconnecting"),
    )
)
# The stream sets these fields; values of the publisher are dropped.
_STREAM_FIELDS = frozenset(("stream", "sequence", "timestamp"))


def stream_of(user_id: object) -> str:
    """Returns the user's stream, for any notation of the id. Raises ValueError when the id is not a UUID."""
    try:
        return user_stream(str(uuid.UUID(str(user_id))))
    except ValueError:
        raise ValueError(f"user_id: {user_id!r} is not a UUID") from None


def publish(
    stream: str, type: str, data: Mapping[str, Any], event_id: str | None = None
) -> dict[str, Any] | None:
    """Appends an event to a user's stream or ``broadcast``, as EventService.publish describes."""
    drafted = _drafted(stream, type, data)

    with transaction() as tx:
        require_owner(tx.cur, stream)
        lock_shared(tx.cur, {stream})
        if event_id is not None and not claim_event_id(tx.cur, stream, event_id):
            return None
        appended = tx.append([drafted])
    return appended.events[0].decoded()


def require_owner(cur: Cursor, stream: str) -> None:
    """Raises LookupError when the stream's user does not exist."""
    if stream == BROADCAST:
        return
    user_id = stream.partition(":")[2]
    cur.execute("SELECT 1 FROM users WHERE id = %s", (user_id,))
    if not cur.fetchall():
        raise LookupError(f"there is no user {user_id}")


def _drafted(stream: str, type: str, data: Mapping[str, Any]) -> Draft:
    if type in CONTROL:
        raise ValueError(f"event_type: {type!r} is reserved for control frames")
    if type in NOTIFICATION_EVENTS:
        raise ValueError(f"event_type: {type!r} is made by app.notifications.create_notification")
    fields = {name: value for name, value in data.items() if name not in _STREAM_FIELDS}
    if stream != BROADCAST and "user_id" in fields and stream_of(fields.pop("user_id")) != stream:
        raise ValueError("user_id: the data names another user")
    drafted = draft(stream, type, {"timestamp": now(), **fields}, projected=False)
    if len(drafted.tail.encode()) > PUBLISHED_BYTES:
        raise ValueError(f"data: more than {PUBLISHED_BYTES:,} bytes of JSON")
    return drafted
