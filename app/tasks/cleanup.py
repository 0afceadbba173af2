"""Deletes expired rows: tickets, sign-ins, API keys, shares, idempotency keys, event ids, deliveries, writers that
ended long ago, workers, queues and schedules that nobody reports any more, and holds of workers that are gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.db.statements import CTID, composed, is_among
from app.models.accounts import ApiKey, IdempotencyKey, Session, Share, Ticket
from app.models.base import Base
from app.models.observed import QueueReport, ScheduleReport, WorkerReport
from app.models.queue import Hold, LostAttempt
from app.models.streams import EventId, WriterRow
from app.models.webhooks import WebhookDelivery
from app.stream.store import Connect

BATCH_ROWS = 5_000

# The column by which a row expires, and how long the row is kept after that time.
EXPIRES: Mapping[type[Base], tuple[sa.SQLColumnExpression[datetime], timedelta]] = {
    Ticket: (Ticket.expires_at, timedelta()),
    Session: (Session.expires_at, timedelta()),
    # An expired key stays in the list for a while, so that its owner finds out why a program is refused.
    ApiKey: (sa.func.least(ApiKey.expires_at, ApiKey.revoked_at), timedelta(days=7)),
    Share: (sa.func.least(Share.expires_at, Share.revoked_at), timedelta(days=1)),
    IdempotencyKey: (IdempotencyKey.created_at, timedelta(hours=24)),
    EventId: (EventId.created_at, timedelta(days=7)),
    WebhookDelivery: (WebhookDelivery.created_at, timedelta(days=7)),  # longer than a delivery is retried
    # A writer needs its row again after an outage; a week is longer than any outage that a writer survives.
    WriterRow: (WriterRow.seen_at, timedelta(days=7)),
    WorkerReport: (WorkerReport.seen_at, timedelta(days=1)),
    QueueReport: (QueueReport.seen_at, timedelta(days=1)),
    ScheduleReport: (ScheduleReport.seen_at, timedelta(days=1)),
    LostAttempt: (LostAttempt.lost_at, timedelta(days=1)),  # as long as its worker's row
    # A worker that does not come back needs no hold; a paused queue stays so until somebody lets it go on.
    Hold: (sa.case((Hold.kind == "worker", Hold.seen_at)), timedelta(days=7)),
}


@composed
def _delete(model: type[Base]) -> sa.Delete:
    at, kept = EXPIRES[model]
    expired = sa.select(CTID).select_from(model).where(at < sa.func.now() - kept)
    locked = expired.limit(sa.bindparam("rows")).with_for_update(skip_locked=True)
    return sa.delete(model).where(is_among(locked))


def delete_expired(connect: Connect) -> int:
    """Deletes expired rows in short transactions and returns how many; locked rows stay for the next call."""
    deleted = 0
    for model in EXPIRES:
        full = True
        while full:
            with connect() as conn, conn.cursor() as cur:
                count = _delete(model).execute(cur, rows=BATCH_ROWS).rowcount
            full = count == BATCH_ROWS
            deleted += count
    return deleted
