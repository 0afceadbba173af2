"""Webhooks: a user's addresses that receive events, and their deliveries.

``project`` inserts a delivery in the transaction of its event: the delivery exists if and only if the event exists,
once for any number of processes. It runs under the lock of the event's stream and waits for no other lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.db.statements import CTID, Statement, as_text, is_among, parameters
from app.errors import Conflict, Foreign, NotFound
from app.models.accounts import User
from app.models.webhooks import Webhook, WebhookDelivery
from app.stream.event import Draft, Event, now
from app.stream.transaction import Begin
from app.webhooks.signing import SecretUnreadable, decrypt, encrypt, new_secret

TYPES = (
    *("task_created", "status_changed", "agent_started", "agent_completed"),
    *("approval_needed", "approval_decided", "task_completed"),
    *("artifact.started", "artifact.progress", "artifact.completed", "artifact.failed", "artifact.cancelled"),
    *("notification", "notifications_read"),
)
"""The event types of user streams."""
PING = "ping"
MOST = 20  # of a user
DELETED_ROWS = 1_000

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
_EXISTS = Statement(sa.select(Webhook.id).where(_id))
_COUNT = Statement(sa.select(sa.func.count()).select_from(Webhook).where(_mine))
_LOCK_USER = Statement(
    sa.select(User.id).where(User.id == sa.bindparam("user")).with_for_update(key_share=True)
)
_CREATE = Statement(
    sa.insert(Webhook)
    .values(parameters("tenant", "url", "event_types", "secret") | {"user_id": sa.bindparam("user")})
    .returning(*as_text(Webhook.id))
)
_SECRET = Statement(sa.select(Webhook.secret).where(_id))
_DISABLE = Statement(
    sa.update(Webhook).where(_id).values(disabled_at=sa.func.coalesce(Webhook.disabled_at, sa.func.now()))
)
_ENABLE = Statement(
    sa.update(Webhook)
    .where(_id, _mine)
    .values(disabled_at=None, failures=0, backoff_until=sa.text("'-infinity'"))
)
_LOCK = Statement(sa.select(Webhook.id).where(_id).with_for_update(key_share=True))
_DELETE = Statement(sa.delete(Webhook).where(_id))
_of_webhook = WebhookDelivery.webhook_id == sa.bindparam("webhook")
_DELETE_DELIVERIES = Statement(
    sa.delete(WebhookDelivery).where(
        is_among(
            sa.select(CTID)
            .select_from(WebhookDelivery)
            .where(_of_webhook)
            .limit(sa.bindparam("rows"))
            .with_for_update()
        )
    )
)
_PENDING_PINGS = Statement(
    sa.select(WebhookDelivery.id).where(
        _of_webhook, WebhookDelivery.event_type == PING, WebhookDelivery.status == "pending"
    )
)
_CREATE_PING = Statement(
    sa.insert(WebhookDelivery)
    .values(webhook_id=sa.bindparam("webhook"), event_type=PING, payload=sa.bindparam("payload"))
    .returning(*as_text(WebhookDelivery.id))
)

# A tenant's webhook receives the events of the tenant's users while its owner is an admin of the tenant.
_SUBSCRIBED = """SELECT users.id::text, hook.id::text, hook.event_types FROM users CROSS JOIN LATERAL (
    SELECT id, event_types FROM webhooks WHERE user_id = users.id AND tenant IS NULL AND disabled_at IS NULL
    UNION ALL
    SELECT webhooks.id, event_types FROM webhooks JOIN users AS owner ON owner.id = user_id
        AND owner.role IN ('admin', 'global_admin') AND owner.tenant = webhooks.tenant
    WHERE webhooks.tenant = users.tenant AND disabled_at IS NULL) AS hook
    WHERE users.id = ANY(%s::uuid[])"""

# A tenant receives an event of a task only when the task is the tenant's: its owner may have moved to another tenant.
# The webhook's key is locked for the foreign key: otherwise a webhook that is being deleted would fail the event. Such
# a webhook is skipped.
_INSERT = """INSERT INTO deliveries (webhook_id, event_type, stream, sequence, payload)
    SELECT webhooks.id, event_type, stream, sequence, payload
    FROM (VALUES %s) AS event (webhook_id, event_type, stream, sequence, payload, task_id)
    JOIN webhooks ON webhooks.id = event.webhook_id::uuid LEFT JOIN tasks ON tasks.id = task_id::uuid
    WHERE webhooks.tenant IS NULL OR tasks.id IS NULL OR tasks.tenant = webhooks.tenant
    FOR KEY SHARE OF webhooks SKIP LOCKED"""


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> None:
    """Inserts the deliveries of appended events. One short query when there are no webhooks; none for other streams."""
    by_user: dict[str, list[Event]] = {}
    for event, _ in events:
        kind, _, user_id = event.stream.partition(":")
        if kind == "user":
            by_user.setdefault(user_id, []).append(event)
    if not by_user:
        return
    cur.execute("SELECT EXISTS (SELECT FROM webhooks)")  # planning the other query takes four times as long
    if not cur.fetchall()[0][0]:
        return
    cur.execute(_SUBSCRIBED, (list(by_user),))
    rows = [
        (webhook_id, event.type, event.stream, event.sequence, event.payload, _task_of(event))
        for user_id, webhook_id, types in cur.fetchall()
        for event in by_user[user_id]
        if event.type in types
    ]
    if rows:
        execute_values(cur, _INSERT, rows, page_size=len(rows))


def _task_of(event: Event) -> str | None:
    """Returns the id of the task that the event is about. Events of other publishers may hold any value here."""
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
    """Creates a webhook; returns it and its secret, which is not shown again. Conflict when the user has too many."""
    secret = new_secret()
    _LOCK_USER.execute(cur, user=user_id)  # two creations at once count one after the other
    if _COUNT.execute(cur, user=user_id).fetchall()[0][0] >= MOST:
        raise Conflict(f"A user has at most {MOST} webhooks; delete one first")
    types, encrypted = list(dict.fromkeys(event_types)), encrypt(secret, secret_key)
    made = {"user": user_id, "tenant": tenant, "url": url, "event_types": types, "secret": encrypted}
    return one(cur, user_id, _CREATE.execute(cur, **made).fetchall()[0][0]), secret


def made(cur: Cursor, user_id: str, id: str, secret_key: str) -> tuple[dict[str, Any], str]:
    """Returns the result of ``create`` again, for a repeated request. Raises NotFound when the webhook was deleted
    since, and Conflict when its secret cannot be decrypted."""
    found = one(cur, user_id, id)
    encrypted = _SECRET.execute(cur, webhook=id).fetchall()[0][0]
    try:
        return found, decrypt(encrypted, secret_key)
    except SecretUnreadable as error:
        raise Conflict(str(error)) from None


def mine(cur: Cursor, user_id: str) -> list[dict[str, Any]]:
    """Returns the webhooks of a user, oldest first."""
    return [dict(zip(_NAMES, row, strict=True)) for row in _MINE.execute(cur, user=user_id)]


def one(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """Returns one webhook of a user. Raises NotFound; Foreign for another user's webhook."""
    row = _ONE.execute(cur, webhook=id, user=user_id).fetchone()
    if row is None:
        of_another = _EXISTS.execute(cur, webhook=id).fetchone() is not None
        raise (Foreign if of_another else NotFound)("There is no such webhook")
    return dict(zip(_NAMES, row, strict=True))


def delete_disabled(begin: Begin, id: str) -> None:
    """Deletes a webhook that was disabled, and its deliveries, in short transactions: there may be many deliveries. The
    webhook is deleted last: after an interruption the user still finds it, disabled."""
    full = True
    while full:
        with begin() as tx:
            full = _DELETE_DELIVERIES.execute(tx.cur, webhook=id, rows=DELETED_ROWS).rowcount == DELETED_ROWS
            if not full:
                _DELETE.execute(tx.cur, webhook=id)


def disable(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """Disables a webhook: it gets no events from now on, and deliveries that wait are not sent. Raises NotFound."""
    one(cur, user_id, id)
    _DISABLE.execute(cur, webhook=id)
    return one(cur, user_id, id)


def enable(cur: Cursor, user_id: str, id: str) -> dict[str, Any]:
    """Enables a webhook. Deliveries that waited are sent when they are due; events since it was disabled are not.
    Raises NotFound."""
    _ENABLE.execute(cur, webhook=id, user=user_id)
    return one(cur, user_id, id)


def ping(cur: Cursor, user_id: str, id: str) -> str:
    """Adds a test delivery and returns its id. Raises NotFound; Conflict when the webhook is disabled or the last ping
    is pending."""
    _LOCK.execute(cur, webhook=id)  # two pings at once check one after the other
    if not one(cur, user_id, id)["enabled"]:
        raise Conflict("The webhook is disabled")
    if _PENDING_PINGS.execute(cur, webhook=id).fetchall():
        raise Conflict("The last ping is still pending")
    payload = Json({"timestamp": now(), "webhook_id": id})
    return str(_CREATE_PING.execute(cur, webhook=id, payload=payload).fetchall()[0][0])
