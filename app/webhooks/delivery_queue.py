"""Deliveries: a queue in Postgres, and the log of tries. A sender claims a delivery for the time of a lease: after the
end of a killed sender the delivery is sent again, with the same id.

Each webhook and each owner has a limit of requests at a time, so that slow receivers, however many, leave room for the
others. A failing webhook gets one request at a time, at growing intervals: an address that never answers must not cost
the others. After a number of failures in a row the webhook is disabled, and its owner gets a notification.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.list_pages import bytes_of, read_page, sized_page
from app.db.statements import composed
from app.inbox.notification import notification
from app.models.webhooks import WebhookDelivery
from app.stream.event import clean, user_stream
from app.stream.transaction import Transaction

logger = logging.getLogger("taskroom.webhooks")

STATUSES = PENDING, DELIVERED, FAILED = ("pending", "delivered", "failed")
LEASE_SECONDS = 60.0  # longer than a try takes
PER_WEBHOOK = 2  # at a time
PER_OWNER = 4  # at a time, of all webhooks of the owner
MAX_BACKOFF = 300.0  # seconds
GONE = 410  # disables the webhook, by the specification

_COLUMNS = ("id", "event_type", "stream", "sequence", "status", "created_at", "due_at", "tries", "log")
_NAMES = (*_COLUMNS[:6], "next_try_at", "tries", "attempts")

# Literal SQL, for it is recursive. It goes from webhook to webhook in the index of waiting deliveries, so that neither
# many webhooks nor many deliveries of one make it slow. A delivery is in flight when it is claimed and its log has no
# entry with the number of that try.
_READY = """WITH RECURSIVE firsts AS (
        (SELECT webhook_id, due_at FROM deliveries
         WHERE due_at IS NOT NULL AND EXISTS (SELECT FROM deliveries WHERE due_at <= now())
         ORDER BY webhook_id, due_at LIMIT 1)
        UNION ALL SELECT following.* FROM firsts CROSS JOIN LATERAL (
            SELECT webhook_id, due_at FROM deliveries WHERE due_at IS NOT NULL AND webhook_id > firsts.webhook_id
            ORDER BY webhook_id, due_at LIMIT 1) AS following),
    free_hooks AS MATERIALIZED (
        SELECT hook.id, user_id, firsts.due_at, in_flight, most - in_flight AS free FROM firsts
        CROSS JOIN LATERAL (
            SELECT id, user_id, CASE WHEN failures > 0 THEN 1 ELSE %(per_webhook)s END AS most FROM webhooks
            WHERE id = firsts.webhook_id AND disabled_at IS NULL AND backoff_until <= now() LIMIT 1) AS hook
        CROSS JOIN LATERAL (
            SELECT count(*) AS in_flight FROM deliveries WHERE webhook_id = hook.id AND {is_in_flight}) AS in_flight
        WHERE firsts.due_at <= now() AND most > in_flight),
    owners AS MATERIALIZED (
        SELECT user_id, %(per_owner)s - (
            SELECT count(*) FROM webhooks CROSS JOIN LATERAL (
                SELECT FROM deliveries WHERE webhook_id = webhooks.id AND {is_in_flight}) AS in_flight
            WHERE webhooks.user_id = owner.user_id) AS owner_free
        FROM (SELECT DISTINCT user_id FROM free_hooks) AS owner),
    ready AS MATERIALIZED (SELECT * FROM free_hooks JOIN owners USING (user_id) WHERE owner_free > 0)""".format(
    is_in_flight="""due_at > now() AND due_at <= now() + make_interval(secs => %(lease)s)
        AND tries > coalesce((log -> -1 ->> 'number')::int, 0)"""
)
_LIMITS = {"per_webhook": PER_WEBHOOK, "per_owner": PER_OWNER, "lease": LEASE_SECONDS}


@dataclass(frozen=True, slots=True)
class Policy:
    """``retries``: seconds before each retry. ``failures`` in a row disable a webhook; with the default intervals they
    take at least an hour."""

    retries: tuple[float, ...]
    failures: int = 20


@dataclass(frozen=True, slots=True)
class Claimed:
    id: str
    webhook_id: str
    event_type: str
    payload: str
    tries: int  # including this one
    url: str
    secret: str  # encrypted
    failures: int  # of the webhook at the claim


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of a try: a status or an error."""

    at: str
    duration_ms: float
    status_code: int | None = None
    error: str | None = None
    response: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


def oldest(cur: Cursor) -> str | None:
    """Returns the due time of the oldest delivery that may be sent now; None when there is none."""
    cur.execute(f"{_READY} SELECT min(due_at)::text FROM ready", _LIMITS)
    (found,) = cur.fetchall()[0]
    return str(found) if found else None


def claim(cur: Cursor, limit: int) -> list[Claimed]:
    """Claims up to ``limit`` due deliveries, oldest first: one of each owner before the second of any owner, and one of
    each webhook before the second of any webhook of that owner. A failing webhook has one claim at a time."""
    cur.execute(
        f"""{_READY}, candidates AS MATERIALIZED (
               SELECT id FROM (
                   SELECT due.id, due.due_at, owner_free,
                       row_number() OVER (PARTITION BY user_id ORDER BY rank, due.due_at) AS owner_rank
                   FROM ready CROSS JOIN LATERAL (
                       SELECT id, due_at, in_flight + row_number() OVER (ORDER BY due_at) AS rank FROM (
                           SELECT id, due_at FROM deliveries WHERE webhook_id = ready.id AND due_at <= now()
                           ORDER BY due_at LIMIT free) AS oldest) AS due) AS due
               WHERE owner_rank <= owner_free
               ORDER BY %(per_owner)s - owner_free + owner_rank, due_at LIMIT %(limit)s),
           free AS (
               SELECT id, webhook_id FROM deliveries WHERE id IN (SELECT id FROM candidates) AND due_at <= now()
               FOR UPDATE SKIP LOCKED),
           backed_off AS (
               UPDATE webhooks SET backoff_until = now() + make_interval(secs => %(lease)s)
               WHERE failures > 0 AND id IN (SELECT webhook_id FROM free))
           UPDATE deliveries SET tries = tries + 1, due_at = now() + make_interval(secs => %(lease)s)
           FROM free JOIN webhooks ON webhooks.id = webhook_id WHERE deliveries.id = free.id
           RETURNING deliveries.id::text, webhooks.id::text, event_type, payload, tries, url, secret, failures""",
        _LIMITS | {"limit": limit},
    )
    return [Claimed(*row) for row in cur.fetchall()]


def record(tx: Transaction, claimed: Claimed, tried: Tried, policy: Policy) -> None:
    """Stores the outcome of a try and the time of the next one. Does nothing when the lease has ended and another
    sender has the delivery, or when the webhook is deleted."""
    tried = replace(tried, error=tried.error and clean(tried.error))  # an error may quote the response
    status, wait = DELIVERED, None
    if not tried.succeeded:
        status = PENDING if claimed.tries <= len(policy.retries) else FAILED
        if status == PENDING:  # spread: deliveries that failed together must not retry together
            wait = policy.retries[claimed.tries - 1] * random.uniform(0.9, 1.1)
    entry, cur = {"number": claimed.tries, **asdict(tried)}, tx.cur
    cur.execute(
        """UPDATE deliveries SET log = log || %s::jsonb, status = %s, due_at = now() + make_interval(secs => %s)
           WHERE id = %s AND tries = %s AND status = %s""",
        (Json([entry]), status, wait, claimed.id, claimed.tries, PENDING),
    )
    if not cur.rowcount:
        return
    if tried.succeeded:
        cur.execute(
            "UPDATE webhooks SET failures = 0, backoff_until = '-infinity' WHERE id = %s AND failures > 0",
            (claimed.webhook_id,),
        )
    else:
        _failed(tx, claimed, tried, policy)


def _failed(tx: Transaction, claimed: Claimed, tried: Tried, policy: Policy) -> None:
    """Counts a failure. Tries that were in flight together count once: a short outage must not disable a busy
    webhook."""
    over = policy.failures if tried.status_code != GONE else 0
    counted = "(failures + (failures <= %(claimed)s)::int)"
    tx.cur.execute(
        f"""UPDATE webhooks SET failures = {counted},
               backoff_until = now() + make_interval(secs => least(%(first)s * 2 ^ least({counted} - 1, 10), %(most)s)),
               disabled_at = CASE WHEN {counted} >= %(over)s THEN now() END
           WHERE id = %(id)s AND disabled_at IS NULL
           RETURNING disabled_at, user_id::text, tenant, failures""",
        {"claimed": claimed.failures, "first": policy.retries[0], "most": MAX_BACKOFF}
        | {"over": over, "id": claimed.webhook_id},
    )
    for disabled_at, user_id, tenant, failures in tx.cur.fetchall():
        if disabled_at is None:
            continue
        logger.warning("webhook %s is disabled after %d failures", claimed.webhook_id, failures)
        reason = tried.error or f"it answered {tried.status_code}"
        drafted = notification(
            user_stream(user_id),
            "A webhook was disabled",
            f"It failed {failures} times in a row, the last time because: {reason}. Enable it when it works again.",
            "error",
            tenant=tenant,
            related_type="webhook",
            related_id=claimed.webhook_id,
        )
        tx.append([drafted])


def page(
    cur: Cursor, webhook_id: str, before: Sequence[str] | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """Returns deliveries, newest first, before a position (created_at, id), and whether there are more. ``attempts``
    are in their order; a missing number is a try whose sender was killed."""
    position = {"before": tuple(before)} if before else {}
    rows, has_more = read_page(cur, _page(bool(before)), limit, webhook=webhook_id, **position)
    return [dict(zip(_NAMES, row, strict=True)) for row in rows], has_more


@composed
def _page(has_position: bool) -> sa.Select[Any]:
    key = sa.tuple_(WebhookDelivery.created_at, WebhookDelivery.id)
    found = (
        sa.select(*(getattr(WebhookDelivery, name) for name in _COLUMNS))
        .where(WebhookDelivery.webhook_id == sa.bindparam("webhook"))
        .where(key < sa.bindparam("before") if has_position else sa.true())
    )
    return sized_page(found, lambda of: (of.created_at.desc(), of.id.desc()), lambda of: [bytes_of(of.log)])
