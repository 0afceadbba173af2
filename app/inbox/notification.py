"""A notification: its types, its fields, and the event that carries it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from app.stream.event import Draft, draft, encode, now, shortened

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
"""In characters. A longer title or message is cut and ends with a mark of the cut; other longer texts are refused."""
LONGEST_METADATA = 8_192  # bytes of JSON
# A URL or a path of this site. A click must run no script, nor lead to a host that only browsers see (`/\host`).
ADDRESS = re.compile(r"(https?://[^\s/\\?#]|/(?![/\\]))[^\s\x00-\x1f\x7f]*\Z", re.IGNORECASE)


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
    """Returns the notification's event for the stream; on a user's stream it also gets a row. Raises ValueError, which
    names the field."""
    if not isinstance(type, str) or type not in TYPES:
        raise ValueError(f"type: {type!r} is none of {', '.join(TYPES)}")
    if not isinstance(title, str) or not title:
        raise ValueError("title: not a text, or empty")
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
        "message": shortened(message, LONGEST_MESSAGE),
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
