"""Webhooks: addresses of a user's own that are told of events, and what there is to tell them.

A delivery is a row of the event's own transaction (``project``): it is there if and only if the event is, once, however
many processes run. It is made under the lock of the event's stream and waits for nobody there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.db.statements import CTID, Statement, as_text, is_among
from app.errors import Conflict, NotFound
from app.models.accounts import User
from app.models.webhooks import Delivery, Webhook
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
_id, _mine = Webhook.id == sa.bindparam("webhook"), Webhook.user_id == sa.bindparam("user")
_listed = sa.select(
    *as_text(Webhook.id),
    *(Webhook.url, Webhook.event_types),
    sa.case((Webhook.tenant.is_(None), "user"), else_="tenant"),
    *(Webhook.disabled_at.is_(None), Webhook.failures),
    *as_text(Webhook.disabled_at, Webhook.created_at),
).where(_mine)
_MINE = Statement(_listed.order_by(Webhook.created_at, Webhook.id))
_ONE = Statement(_listed.where(_id))
_COUNT = Statement(sa.select(sa.func.count()).select_from(Webhook).where(_mine))
_LOCK_USER = Statement(
    sa.select(User.id).where(User.id == sa.bindparam("user")).with_for_update(key_share=True)
)
_CREATE = Statement(
    sa.insert(Webhook)
    .values(
        {name: sa.bindparam(name) for name in ("tenant", "url", "event_types", "secret")}
        | {"user_id": sa.bindparam("user")}
    )
    .returning(*as_text(Webhook.id))
)
_SECRET = Statement(sa.select(Webhook.secret).where(_id))
_DISABLE = Statement(
    sa.update(Webhook).where(_id).values(disabled_at=sa.func.coalesce(Webhook.disabled_at, sa.func.now()))
)
_ENABLE = Statement(
    sa.update(Webhook)
    .where(_id, _mine)
    .values(disabled_at=None, failures=0, held_until=sa.text("'-infinity'"))
)
_LOCK = Statement(sa.select(Webhook.id).where(_id).with_for_update(key_share=True))
_DELETE = Statement(sa.delete(Webhook).where(_id))
_its = Delivery.webhook_id == sa.bindparam("webhook")
_DELETE_DELIVERIES = Statement(
    sa.delete(Delivery).where(
        is_among(
            sa.select(CTID).select_from(Delivery).where(_its).limit(sa.bindparam("rows")).with_for_update()
        )
    )
)
_PENDING_PINGS = Statement(
    sa.select(Delivery.id).where(_its, Delivery.event_type == PING, Delivery.status == "pending")
)
_CREATE_PING = Statement(
    sa.insert(Delivery)
    .values(webhook_id=sa.bindparam("webhook"), event_type=PING, payload=sa.bindparam("payload"))
    .returning(*as_text(Delivery.id))
)

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
    _LOCK_USER.execute(cur, user=user_id)  # two at once count in turn
    if _COUNT.execute(cur, user=user_id).fetchall()[0][0] >= MOST:
        raise Conflict(f"A user has at most {MOST} webhooks; delete one first")
    types, sealed = list(dict.fromkeys(event_types)), seal(secret, secret_key)
    made = {"user": user_id, "tenant": tenant, "url": url, "event_types": types, "secret": sealed}
    return one(cur, user_id, _CREATE.execute(cur, **made).fetchall()[0][0]), secret


def made(cur: Cursor, user_id: str, id: str, secret_key: str) -> tuple[dict[str, Any], str]:
    """What ``create`` answered, for whoever asks the same again. Raises NotFound when it was deleted since, and
    Conflict when its secret cannot be read any more."""
    found = one(cur, user_id, id)
    sealed = _SECRET.execute(cur, webhook=id).fetchall()[0][0]
    try:
        return found, unseal(sealed, secret_key)
    except SecretUnreadable as error:
        raise Conflict(str(error)) from None


def mine(cur: Cursor, user_id: str) -> list[dict[str, Any]]:
    """The oldest first; there are few."""
    return [dict(zip(_NAMES, row, strict=True)) for row in _MINE.execute(cur, user=user_id)]


def one(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """Raises NotFound when it is not there, or not this user's."""
    row = _ONE.execute(cur, webhook=id, user=user_id).fetchone()
    if row is None:
        raise NotFound("There is no such webhook")
    return dict(zip(_NAMES, row, strict=True))


def delete(begin: Begin, user_id: str, id: str) -> None:
    """With its deliveries, of which there may be many: in short transactions, the webhook itself last, so that who is
    interrupted finds it again, disabled. Raises NotFound."""
    with begin() as tx:
        one(tx.cur, user_id, id)
        _DISABLE.execute(tx.cur, webhook=id)
    full = True
    while full:
        with begin() as tx:
            full = _DELETE_DELIVERIES.execute(tx.cur, webhook=id, rows=GONE_ROWS).rowcount == GONE_ROWS
            if not full:
                _DELETE.execute(tx.cur, webhook=id)


def enable(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """What waited when it was disabled is sent as it falls due; what happened since then was not kept. Raises
    NotFound."""
    _ENABLE.execute(cur, webhook=id, user=user_id)
    return one(cur, user_id, id)


def ping(cur: Cursor, user_id: str, id: str) -> str:
    """A delivery that tells of nothing, for trying it out; returns its id. Raises NotFound, and Conflict while the
    last one is on its way, or when the webhook is disabled."""
    _LOCK.execute(cur, webhook=id)  # two at once look in turn
    if not one(cur, user_id, id)["enabled"]:
        raise Conflict("The webhook is disabled")
    if _PENDING_PINGS.execute(cur, webhook=id).fetchall():
        raise Conflict("The last ping is still on its way")
    payload = Json({"timestamp": now(), "webhook_id": id})
    return str(_CREATE_PING.execute(cur, webhook=id, payload=payload).fetchall()[0][0])
