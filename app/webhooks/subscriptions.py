"""Webhooks: addresses of a user's own that are told of events, and what there is to tell them.

A delivery is a row of the event's own transaction (``project``): it is there if and only if the event is, once, however
many processes run. It is made under the lock of the event's stream and waits for nobody there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.db.sql import TIME_TEXT
from app.errors import Conflict, NotFound
from app.stream.event import Draft, Event, now
from app.stream.transaction import Begin
from app.webhooks.signing import SecretUnreadable, new_secret, seal, unseal

TYPES = (
    *("task_created", "status_changed", "agent_started", "agent_completed"),
    *("approval_needed", "approval_decided", "task_completed"),
    *("artifact.started", "artifact.progress", "artifact.completed", "artifact.failed", "artifact.cancelled"),
    *("notification", "notifications_read"),
)
"""What streams of users carry."""
PING = "ping"
MOST = 20  # of a user
GONE_ROWS = 1_000

_NAMES = ("id", "url", "event_types", "scope", "enabled", "failures", "disabled_at", "created_at")
_SELECT = f"""SELECT id::text, url, event_types, CASE WHEN tenant IS NULL THEN 'user' ELSE 'tenant' END,
    disabled_at IS NULL, failures, {TIME_TEXT.format("disabled_at")}, {TIME_TEXT.format("created_at")} FROM webhooks"""

# A tenant's webhook hears its users for as long as its owner is an admin there.
_LISTENING = """SELECT users.id::text, hook.id::text, hook.event_types FROM users CROSS JOIN LATERAL (
    SELECT id, event_types FROM webhooks WHERE user_id = users.id AND tenant IS NULL AND disabled_at IS NULL
    UNION ALL
    SELECT webhooks.id, event_types FROM webhooks JOIN users AS owner ON owner.id = user_id
        AND owner.role IN ('admin', 'global_admin') AND owner.tenant = webhooks.tenant
    WHERE webhooks.tenant = users.tenant AND disabled_at IS NULL) AS hook
    WHERE users.id = ANY(%s::uuid[])"""

# What is of a task goes to a tenant only when the task is the tenant's: its owner may have moved. The key is locked for
# the reference of the new row, or a webhook that is deleted just now would fail the event; such a one is passed over.
_INSERT = """INSERT INTO deliveries (webhook_id, event_type, stream, sequence, payload)
    SELECT webhooks.id, event_type, stream, sequence, payload
    FROM (VALUES %s) AS told (webhook_id, event_type, stream, sequence, payload, task_id)
    JOIN webhooks ON webhooks.id = told.webhook_id::uuid LEFT JOIN tasks ON tasks.id = task_id::uuid
    WHERE webhooks.tenant IS NULL OR tasks.id IS NULL OR tasks.tenant = webhooks.tenant
    FOR KEY SHARE OF webhooks SKIP LOCKED"""


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> None:
    """The deliveries of what was just appended; one small question when nobody listens, none for other streams."""
    told: dict[str, list[Event]] = {}
    for event, _ in events:
        kind, _, user_id = event.stream.partition(":")
        if kind == "user":
            told.setdefault(user_id, []).append(event)
    if not told:
        return
    cur.execute(
        "SELECT EXISTS (SELECT FROM webhooks)"
    )  # the other question takes four times as long, to plan it
    if not cur.fetchall()[0][0]:
        return
    cur.execute(_LISTENING, (list(told),))
    rows = [
        (webhook_id, event.type, event.stream, event.sequence, event.payload, _task_of(event))
        for user_id, webhook_id, types in cur.fetchall()
        for event in told[user_id]
        if event.type in types
    ]
    if rows:
        execute_values(cur, _INSERT, rows, page_size=len(rows))


def _task_of(event: Event) -> str | None:
    """Of which task it tells. Events that others publish may hold anything under these names."""
    fields = event.decoded()
    named = fields.get("task_id") or fields.get("job_id")
    if named is None and fields.get("related_type") == "task":
        named = fields.get("related_id")
    try:
        return str(UUID(named)) if isinstance(named, str) else None
    except ValueError:
        return None


def create(
    cur: Cursor, user_id: str, url: str, event_types: Sequence[str], tenant: str | None, secret_key: str
) -> tuple[dict[str, Any], str]:
    """The new webhook and its secret, which is never shown again. Conflict when the user has too many."""
    secret = new_secret()
    cur.execute(
        "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE", (user_id,)
    )  # two at once count in turn
    cur.execute("SELECT count(*) FROM webhooks WHERE user_id = %s", (user_id,))
    if cur.fetchall()[0][0] >= MOST:
        raise Conflict(f"A user has at most {MOST} webhooks; delete one first")
    cur.execute(
        "INSERT INTO webhooks (user_id, tenant, url, event_types, secret) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (user_id, tenant, url, list(dict.fromkeys(event_types)), seal(secret, secret_key)),
    )
    return one(cur, user_id, cur.fetchall()[0][0]), secret


def made(cur: Cursor, user_id: str, id: str, secret_key: str) -> tuple[dict[str, Any], str]:
    """What ``create`` answered, for whoever asks the same again. Raises NotFound when it was deleted since, and
    Conflict when its secret cannot be read any more."""
    found = one(cur, user_id, id)
    cur.execute("SELECT secret FROM webhooks WHERE id = %s", (id,))
    try:
        return found, unseal(cur.fetchall()[0][0], secret_key)
    except SecretUnreadable as error:
        raise Conflict(str(error)) from None


def mine(cur: Cursor, user_id: str) -> list[dict[str, Any]]:
    """The oldest first; there are few."""
    cur.execute(f"{_SELECT} WHERE user_id = %s ORDER BY webhooks.created_at, id", (user_id,))
    return [dict(zip(_NAMES, row, strict=True)) for row in cur]


def one(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """Raises NotFound when it is not there, or not this user's."""
    cur.execute(f"{_SELECT} WHERE id = %s AND user_id = %s", (id, user_id))
    row = cur.fetchone()
    if row is None:
        raise NotFound("There is no such webhook")
    return dict(zip(_NAMES, row, strict=True))


def delete(begin: Begin, user_id: str, id: str) -> None:
    """With its deliveries, of which there may be many: in short transactions, the webhook itself last, so that who is
    interrupted finds it again, disabled. Raises NotFound."""
    with begin() as tx:
        one(tx.cur, user_id, id)
        tx.cur.execute("UPDATE webhooks SET disabled_at = coalesce(disabled_at, now()) WHERE id = %s", (id,))
    full = True
    while full:
        with begin() as tx:
            tx.cur.execute(
                """DELETE FROM deliveries WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM deliveries WHERE webhook_id = %s LIMIT %s FOR UPDATE))""",
                (id, GONE_ROWS),
            )
            full = tx.cur.rowcount == GONE_ROWS
            if not full:
                tx.cur.execute("DELETE FROM webhooks WHERE id = %s", (id,))


def enable(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """What waited when it was disabled is sent as it falls due; what happened since then was not kept. Raises
    NotFound."""
    cur.execute(
        """UPDATE webhooks SET disabled_at = NULL, failures = 0, held_until = '-infinity'
           WHERE id = %s AND user_id = %s""",
        (id, user_id),
    )
    return one(cur, user_id, id)


def ping(cur: Cursor, user_id: str, id: str) -> str:
    """A delivery that tells of nothing, for trying it out; returns its id. Raises NotFound, and Conflict while the
    last one is on its way, or when the webhook is disabled."""
    cur.execute("SELECT 1 FROM webhooks WHERE id = %s FOR NO KEY UPDATE", (id,))  # two at once look in turn
    if not one(cur, user_id, id)["enabled"]:
        raise Conflict("The webhook is disabled")
    cur.execute(
        "SELECT 1 FROM deliveries WHERE webhook_id = %s AND event_type = %s AND status = 'pending'",
        (id, PING),
    )
    if cur.fetchall():
        raise Conflict("The last ping is still on its way")
    cur.execute(
        "INSERT INTO deliveries (webhook_id, event_type, payload) VALUES (%s, %s, %s) RETURNING id::text",
        (id, PING, Json({"timestamp": now(), "webhook_id": id})),
    )
    return str(cur.fetchall()[0][0])
