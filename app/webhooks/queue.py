"""Deliveries: a queue in Postgres, and the log of what was tried. Whoever claims one has it for the time of a lease, so
that what a killed sender had is sent again, under the same id.

A webhook has few tries at a time, and an owner has few, so that those that answer slowly, however many they are and
whatever waits for them, leave room for the others.
One that fails is asked one thing at a time and ever more seldom, so that an address that never answers costs the
others nothing; after so many failures in a row it is disabled and its owner told.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.statements import as_text, composed
from app.inbox.notification import notification
from app.models.webhooks import Delivery
from app.stream.event import clean, user_stream
from app.stream.store import lock_shared
from app.stream.transaction import Transaction

logger = logging.getLogger("taskroom.webhooks")

STATUSES = PENDING, DELIVERED, FAILED = ("pending", "delivered", "failed")
LEASE_SECONDS = 60.0  # longer than any try takes
PER_WEBHOOK = 2  # at a time
PER_OWNER = 4  # of all its webhooks together
HELD_MOST = 300.0
GONE = 410  # by the specification: never again

_COLUMNS = ("id", "event_type", "stream", "sequence", "status", "created_at", "due_at", "tries", "log")
_NAMES = (*_COLUMNS[:6], "next_try_at", "tries", "attempts")

# Literal, for it is recursive. It goes from one webhook to the next in the index of what waits: it must cost nothing
# that there are many webhooks, nor that much waits for one. On its way is what was claimed and of which no try of that
# number was written down.
_READY = """WITH RECURSIVE firsts AS (
        (SELECT webhook_id, due_at FROM deliveries
         WHERE due_at IS NOT NULL AND EXISTS (SELECT FROM deliveries WHERE due_at <= now())
         ORDER BY webhook_id, due_at LIMIT 1)
        UNION ALL SELECT following.* FROM firsts CROSS JOIN LATERAL (
            SELECT webhook_id, due_at FROM deliveries WHERE due_at IS NOT NULL AND webhook_id > firsts.webhook_id
            ORDER BY webhook_id, due_at LIMIT 1) AS following),
    free_hooks AS MATERIALIZED (
        SELECT hook.id, user_id, firsts.due_at, flying, most - flying AS free FROM firsts
        CROSS JOIN LATERAL (
            SELECT id, user_id, CASE WHEN failures > 0 THEN 1 ELSE %(per_webhook)s END AS most FROM webhooks
            WHERE id = firsts.webhook_id AND disabled_at IS NULL AND held_until <= now() LIMIT 1) AS hook
        CROSS JOIN LATERAL (
            SELECT count(*) AS flying FROM deliveries WHERE webhook_id = hook.id AND {flies}) AS flying
        WHERE firsts.due_at <= now() AND most > flying),
    owners AS MATERIALIZED (
        SELECT user_id, %(per_owner)s - (
            SELECT count(*) FROM webhooks CROSS JOIN LATERAL (
                SELECT FROM deliveries WHERE webhook_id = webhooks.id AND {flies}) AS flying
            WHERE webhooks.user_id = owner.user_id) AS owner_free
        FROM (SELECT DISTINCT user_id FROM free_hooks) AS owner),
    ready AS MATERIALIZED (SELECT * FROM free_hooks JOIN owners USING (user_id) WHERE owner_free > 0)""".format(
    flies="""due_at > now() AND due_at <= now() + make_interval(secs => %(lease)s)
        AND tries > coalesce((log -> -1 ->> 'number')::int, 0)"""
)
_LIMITS = {"per_webhook": PER_WEBHOOK, "per_owner": PER_OWNER, "lease": LEASE_SECONDS}


@dataclass(frozen=True, slots=True)
class Policy:
    """``retries``: seconds before each next try. ``failures`` in a row disable a webhook; as it is asked ever more
    seldom these take an hour at the least, with the usual times."""

    retries: tuple[float, ...]
    failures: int = 20


@dataclass(frozen=True, slots=True)
class Claimed:
    id: str
    webhook_id: str
    event_type: str
    payload: str
    tries: int  # this one included
    url: str
    secret: str  # sealed
    failures: int  # of its webhook, when it was claimed


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: a status, or an error."""

    at: str
    duration_ms: float
    status_code: int | None = None
    error: str | None = None
    response: str | None = None

    @property
    def well(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


def oldest(cur: Cursor) -> str | None:
    """Since when something has been due that may be sent now; None when nothing is."""
    cur.execute(f"{_READY} SELECT min(due_at)::text FROM ready", _LIMITS)
    (found,) = cur.fetchall()[0]
    return str(found) if found else None


def claim(cur: Cursor, limit: int) -> list[Claimed]:
    """Takes up to so many of what is due: of each owner one before the second of any, and of each webhook of that owner
    one before the second of any, the oldest first; of one that fails one, until it is settled."""
    cur.execute(
        f"""{_READY}, candidates AS MATERIALIZED (
               SELECT id FROM (
                   SELECT due.id, due.due_at, owner_free,
                       row_number() OVER (PARTITION BY user_id ORDER BY rank, due.due_at) AS owner_rank
                   FROM ready CROSS JOIN LATERAL (
                       SELECT id, due_at, flying + row_number() OVER (ORDER BY due_at) AS rank FROM (
                           SELECT id, due_at FROM deliveries WHERE webhook_id = ready.id AND due_at <= now()
                           ORDER BY due_at LIMIT free) AS oldest) AS due) AS due
               WHERE owner_rank <= owner_free
               ORDER BY %(per_owner)s - owner_free + owner_rank, due_at LIMIT %(limit)s),
           free AS (
               SELECT id, webhook_id FROM deliveries WHERE id IN (SELECT id FROM candidates) AND due_at <= now()
               FOR UPDATE SKIP LOCKED),
           held AS (
               UPDATE webhooks SET held_until = now() + make_interval(secs => %(lease)s)
               WHERE failures > 0 AND id IN (SELECT webhook_id FROM free))
           UPDATE deliveries SET tries = tries + 1, due_at = now() + make_interval(secs => %(lease)s)
           FROM free JOIN webhooks ON webhooks.id = webhook_id WHERE deliveries.id = free.id
           RETURNING deliveries.id::text, webhooks.id::text, event_type, payload, tries, url, secret, failures""",
        _LIMITS | {"limit": limit},
    )
    return [Claimed(*row) for row in cur.fetchall()]


def record(tx: Transaction, claimed: Claimed, tried: Tried, policy: Policy) -> None:
    """Stores the outcome of a try, and when the next is due. Nothing when the lease was over and another sender has the
    delivery, or when the webhook is gone."""
    tried = replace(tried, error=tried.error and clean(tried.error))  # it may quote what was answered
    status, wait = DELIVERED, None
    if not tried.well:
        status = PENDING if claimed.tries <= len(policy.retries) else FAILED
        if status == PENDING:  # spread, so that what failed together does not come together
            wait = policy.retries[claimed.tries - 1] * random.uniform(0.9, 1.1)
    entry = {
        "number": claimed.tries,
        "at": tried.at,
        "duration_ms": tried.duration_ms,
        "status_code": tried.status_code,
        "error": tried.error,
        "response": tried.response,
    }
    cur = tx.cur
    cur.execute(
        """UPDATE deliveries SET log = log || %s::jsonb, status = %s, due_at = now() + make_interval(secs => %s)
           WHERE id = %s AND tries = %s AND status = %s""",
        (Json([entry]), status, wait, claimed.id, claimed.tries, PENDING),
    )
    if not cur.rowcount:
        return
    if tried.well:
        cur.execute(
            "UPDATE webhooks SET failures = 0, held_until = '-infinity' WHERE id = %s AND failures > 0",
            (claimed.webhook_id,),
        )
    else:
        _failed(tx, claimed, tried, policy)


def _failed(tx: Transaction, claimed: Claimed, tried: Tried, policy: Policy) -> None:
    """What was on its way together counts once: a short outage must not disable a webhook of which much is told."""
    over = policy.failures if tried.status_code != GONE else 0
    counted = "(failures + (failures <= %(claimed)s)::int)"
    tx.cur.execute(
        f"""UPDATE webhooks SET failures = {counted},
               held_until = now() + make_interval(secs => least(%(first)s * 2 ^ least({counted} - 1, 10), %(most)s)),
               disabled_at = CASE WHEN {counted} >= %(over)s THEN now() END
           WHERE id = %(id)s AND disabled_at IS NULL
           RETURNING disabled_at, user_id::text, tenant, failures""",
        {"claimed": claimed.failures, "first": policy.retries[0], "most": HELD_MOST}
        | {"over": over, "id": claimed.webhook_id},
    )
    for disabled_at, user_id, tenant, failures in tx.cur.fetchall():
        if disabled_at is None:
            continue
        logger.warning("webhook %s is disabled after %d failures", claimed.webhook_id, failures)
        why = tried.error or f"it answered {tried.status_code}"
        drafted = notification(
            user_stream(user_id),
            "A webhook was disabled",
            f"It failed {failures} times in a row, at last because: {why}. Enable it when it works again.",
            "error",
            tenant=tenant,
            related_type="webhook",
            related_id=claimed.webhook_id,
        )
        lock_shared(tx.cur, {drafted.stream})
        tx.append([drafted])


def page(cur: Cursor, webhook_id: str, before: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """The newest first, from before a position (created_at, id) on; ``attempts`` in the order they were made. A number
    that is missing there was lost with its sender."""
    position = {"before": tuple(before)} if before else {}
    rows = _page(bool(before)).execute(cur, webhook=webhook_id, limit=limit, **position).fetchall()
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]


@composed
def _page(goes_on: bool) -> sa.Select[Any]:
    columns = as_text(*(getattr(Delivery, name) for name in _COLUMNS))
    key = sa.tuple_(Delivery.created_at, Delivery.id)
    return (
        sa.select(*columns)
        .where(Delivery.webhook_id == sa.bindparam("webhook"))
        .where(key < sa.bindparam("before") if goes_on else sa.true())
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(sa.bindparam("limit"))
    )
