"""Counts of the queue in Postgres; every process reads the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.db.statements import Statement
from app.models.queue import Dispatch, Lease
from app.models.tasks import Task
from app.stream.store import Connect


@dataclass(frozen=True, slots=True)
class QueueCounts:
    unfinished: Mapping[str, int]  # tasks that have not ended, by status
    due: int  # tasks that a worker may claim now
    oldest_seconds: float  # since the oldest due task became due
    leases: int  # running attempts
    missed: int  # missed rounds of the lease of our workers that was not renewed for longest


_unfinished = (
    sa.select(Task.status, sa.func.count().label("tasks"))
    .where(Task.finished_at.is_(None))
    .group_by(Task.status)
    .subquery("unfinished")
)
_waited = sa.extract("epoch", sa.func.now() - sa.func.min(Dispatch.due_at))
_due = (
    sa.select(sa.func.count().label("due"), sa.cast(sa.func.coalesce(_waited, 0), sa.Float).label("oldest"))
    .where(Dispatch.due_at <= sa.func.now())
    .subquery("due")
)
_leases = (
    sa.select(
        sa.func.count(Lease.task_id).label("leases"),
        sa.func.coalesce(sa.func.max(Lease.missed).filter(~Task.observed), 0).label("missed"),
    )
    .join_from(Lease, Task, Task.id == Lease.task_id)
    .subquery("leases")
)
_BACKLOG = Statement(
    sa.select(
        sa.select(sa.func.json_object_agg(_unfinished.c.status, _unfinished.c.tasks)).scalar_subquery(),
        *(_due.c.due, _due.c.oldest, _leases.c.leases, _leases.c.missed),
    )
)


def backlog(read: Connect) -> QueueCounts:
    """Reads the counts. Raises DatabaseUnavailable."""
    with read() as conn, conn.cursor() as cur:
        unfinished, *rest = _BACKLOG.execute(cur).fetchall()[0]
    return QueueCounts(unfinished or {}, *rest)
