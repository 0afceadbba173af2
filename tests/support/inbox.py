"""Creates notifications of a user, a few or a hundred thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.inbox.store import unread_count
from app.notifications import create_notification
from tests.tasks.helpers import Tasks

# The events are marked as pruned, like those of an old account.
_FILL = """
WITH stream AS (
    INSERT INTO streams (name, last_seq, pruned_to) VALUES ('user:' || %(user)s, %(count)s, %(count)s)
    ON CONFLICT (name) DO UPDATE SET
        last_seq = streams.last_seq + %(count)s, pruned_to = streams.last_seq + %(count)s
    RETURNING last_seq - %(count)s AS before),
filled AS (
    INSERT INTO notifications (id, user_id, sequence, notification_type, title, message, urgent, metadata,
        related_type, related_id, action_url, created_at, read_at)
    SELECT gen_random_uuid(), %(user)s::uuid, before + n, 'generation_complete', 'Notification ' || n,
        'Number ' || n || ' of many', false, '{"n": 1}', 'task', gen_random_uuid(), '/runs/' || n,
        now() - make_interval(secs => %(count)s - n), CASE WHEN n > %(unread)s THEN now() END
    FROM stream, generate_series(1, %(count)s) AS n)
INSERT INTO inboxes (user_id, unread) VALUES (%(user)s::uuid, %(unread)s)
ON CONFLICT (user_id) DO UPDATE SET unread = inboxes.unread + EXCLUDED.unread"""


def fill(run: Callable[[str, Any], Any], user_id: str, count: int, unread: int | None = None) -> None:
    """Adds ``count`` notifications, of which the oldest ``unread`` (default: all) are unread. ``run`` executes a
    statement with its parameters. A hundred thousand take a few seconds."""
    run(_FILL, {"user": user_id, "count": count, "unread": count if unread is None else unread})


def notify(tasks: Tasks, title: str = "x", *, message: str = "", **fields: Any) -> dict[str, Any]:
    """Creates a notification of the user and returns its event's data."""
    made = create_notification(tasks.user_id, title, message, **fields)
    assert made is not None
    return made


def unread(tasks: Tasks) -> int:
    with tasks.connect() as connection, connection.cursor() as cur:
        return unread_count(cur, tasks.user_id)
