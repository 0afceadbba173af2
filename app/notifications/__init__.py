"""Notifying a user, or everybody, from anywhere in the code: at once on their streams, and in a list until they have
read it."""

from __future__ import annotations

import uuid
from typing import Any

from psycopg2.errors import ForeignKeyViolation

from app.inbox.notification import notification
from app.process_transactions import transaction
from app.stream.claims import claim_event_id
from app.stream.event import BROADCAST, Event, user_stream
from app.stream.store import lock_shared
from app.stream.transaction import Transaction


def create_notification(
    user_id: str,
    title: str,
    message: str,
    type: str = "info",
    *,
    event_id: str | None = None,
    **fields: Any,
) -> dict[str, Any] | None:
    """Notifies a user, on the stream and in the list. Returns the fields of the notification's event with its
    ``sequence``; None, and nothing is stored, when the user got a notification of that ``event_id`` within a week.

    ``fields``: related_type, related_id, related_session_id, action_url, urgent, metadata. Works in a web process, in
    a task and in a script that has the environment variables. Raises LookupError for an unknown user, ValueError for
    an invalid id or field, DatabaseUnavailable.
    """
    user_id = str(uuid.UUID(str(user_id)))  # the same id in other letters would name another stream
    stream = user_stream(user_id)
    try:
        with transaction() as tx:
            lock_shared(tx.cur, {stream})
            if event_id is not None and not claim_event_id(tx.cur, stream, event_id):
                return None
            tx.cur.execute("SELECT tenant FROM users WHERE id = %s", (user_id,))
            tenant = next((tenant for (tenant,) in tx.cur), None)
            made = tx.append([notification(stream, title, message, type, tenant=tenant, **fields)])
    except ForeignKeyViolation:
        raise LookupError(f"there is no user {user_id}") from None
    return made.events[0].decoded()


def announce(tx: Transaction, title: str, message: str, **fields: Any) -> Event:
    """Notifies all users by an event of ``broadcast``, which no list holds. Raises ValueError that names the field."""
    event = notification(BROADCAST, title, message, "system_announcement", **fields)
    return tx.append([event]).events[0]
