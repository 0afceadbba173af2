"""Notifications: what a user is to see, whether watching or not. Each is a row and an event of the user's stream."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg2.errors import ForeignKeyViolation
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.db import appending
from app.stream.event import BROADCAST, Draft, Event, cut, draft, encode, now, user_stream
from app.stream.store import Appended, append, lock_shared, unsaid

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
LONGEST_TITLE = LONGEST_URL = LONGEST_RELATED = 255
LONGEST_MESSAGE = 10_000
"""Characters. A longer title or message is cut, and says so; anything else that is longer is refused."""
LONGEST_METADATA = 8_192  # bytes of JSON
# A page or a path of this site: a click must neither run a script nor lead where only the browser sees another host.
ADDRESS = re.compile(r"(https?://[^\s/\\?#]|/(?![/\\]))[^\s\x00-\x1f\x7f]*\Z", re.IGNORECASE)

STORED = (
    *("id", "notification_type", "title", "message", "related_type", "related_id", "related_session_id"),
    *("action_url", "urgent", "metadata", "created_at", "tenant"),
)
_INSERT = f"INSERT INTO notifications (user_id, sequence, {', '.join(STORED)}) VALUES %s"


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
    if not isinstance(type, str) or type not in TYPES:
        raise ValueError(f"type: {type!r} is none of {', '.join(TYPES)}")
    if not isinstance(title, str) or not title:
        raise ValueError("title: a notification has one, a text")
    if not isinstance(message, str):
        raise ValueError("message: not a text")
    for name, text, longest in (
        ("related_type", related_type, LONGEST_RELATED),
        ("related_id", related_id, LONGEST_RELATED),
        ("related_session_id", related_session_id, LONGEST_RELATED),
        ("action_url", action_url, LONGEST_URL),
    ):
        if text is not None and not (isinstance(text, str) and len(text) <= longest):
            raise ValueError(f"{name}: not a text of up to {longest} characters")
    if action_url is not None and not ADDRESS.match(action_url):
        raise ValueError("action_url: neither http(s) nor a path")
    if not isinstance(urgent, bool):
        raise ValueError("urgent: neither true nor false")
    _check_metadata(metadata)
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


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        raise ValueError("metadata: not a JSON object")
    try:
        size = len(encode(metadata).encode())
    except TypeError as error:
        raise ValueError(f"metadata: not a JSON object: {error}") from None
    if size > LONGEST_METADATA:
        raise ValueError(f"metadata: more than {LONGEST_METADATA:,} bytes of JSON")


def create_notification(
    user_id: str,
    title: str,
    message: str,
    type: str = "info",
    *,
    event_id: str | None = None,
    **fields: Any,
) -> dict[str, Any] | None:
    """Tells a user something, now and in the list. Returns it as its event has it, with ``sequence``; None, and
    nothing is stored, when the user was told something of that ``event_id`` within a week.

    ``fields``: related_type, related_id, related_session_id, action_url, urgent, metadata. Works in a web process, in
    a task and in a script that has the environment. LookupError when there is no such user; ValueError for an id or
    a field that cannot be; StoreAway.
    """
    user_id = str(uuid.UUID(str(user_id)))  # in other letters it would name another stream

    def create(cur: Cursor) -> Appended:
        stream = user_stream(user_id)
        lock_shared(cur, {stream})
        if event_id is not None and not unsaid(cur, stream, event_id):
            return Appended()
        tenant = tenants(cur, [user_id]).get(user_id)
        told = notification(stream, title, message, type, tenant=tenant, **fields)
        return _append(cur, told)

    try:
        events = appending.append(create).events
    except ForeignKeyViolation:
        raise LookupError(f"there is no user {user_id}") from None
    return events[0].decoded() if events else None


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
        (user_id, event.sequence, *(Json(data[n]) if n == "metadata" else data[n] for n in STORED))
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
