"""Ends tasks that wait in vain for days: for an approval, for a worker of a queue that none serves, or, of observed
tasks, for their reporter.

Other tasks need no such limit: a running task has a lease, unless its reporter wants none, and a parent that waits for
its steps ends with them.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import sqlalchemy as sa

from app.db.clock import database_now
from app.db.statements import Statement, as_text
from app.models.observed import OpenGroup
from app.models.queue import Dispatch, Lease
from app.models.streams import EventRow, Stream
from app.models.tasks import Task
from app.stream.event import task_stream
from app.stream.store import Connect, lock
from app.stream.transaction import Begin, Transaction
from app.tasks import old_tasks
from app.tasks.endings import cancelled_error, ending_of, expired_error
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, STARTED, WAITING
from app.tasks.projection import load
from app.tasks.retention import CUTOFF, IS_OLD

logger = logging.getLogger("taskroom.forsaken")

_waits = Task.status == sa.any_(sa.literal([PENDING, WAITING, RETRY], sa.ARRAY(sa.Text)))
_runs_without_lease = sa.and_(
    Task.observed, Task.status == STARTED, ~sa.exists().where(Lease.task_id == Task.id)
)
_is_open_group = sa.exists().where(OpenGroup.task_id == Task.id)  # it ends with its members
_dispatched = sa.exists().where(Dispatch.task_id == Task.id, Dispatch.due_at >= CUTOFF)
_waits_long = (
    Task.finished_at.is_(None),
    sa.or_(_waits, sa.and_(_runs_without_lease, ~_is_open_group)),
    sa.func.coalesce(Task.updated_at, Task.created_at) < CUTOFF,
    ~_dispatched,  # a retry that is due later has not waited yet, however old its last event is
)
_WAITING = Statement(
    sa.select(*as_text(Task.created_at, Task.id))
    .where(*_waits_long, sa.tuple_(Task.created_at, Task.id) > sa.bindparam("after"))
    .order_by(Task.created_at, Task.id)
    .limit(sa.bindparam("page"))
)
_STILL_WAITS = Statement(
    sa.select(Task.id)
    .join(Stream, Stream.id == Task.stream_id)
    .join(EventRow, sa.and_(EventRow.stream_id == Stream.id, EventRow.seq == Stream.last_seq))
    .where(Task.id == sa.bindparam("task"), *_waits_long, IS_OLD)
)


def expire_tasks(connect: Connect, begin: Begin, days: int, seconds: float = old_tasks.RUN_SECONDS) -> int:
    """Ends waiting tasks that had no event for ``days``, each in its own transaction, for up to ``seconds``; returns
    how many. Two runs at a time do no harm, nor does a kill. Raises DatabaseUnavailable."""

    def expire(task_id: str) -> bool:
        with begin() as tx:
            return _expire(tx, task_id, days)

    return old_tasks.each(connect, _WAITING, days, seconds, expire, logger)


def _expire(tx: Transaction, task_id: str, days: int) -> bool:
    """Ends the task and returns True, unless it was claimed or decided meanwhile or its last event is newer."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None or row.closed:
        return False
    if _STILL_WAITS.execute(cur, task=task_id, age=timedelta(days=days)).fetchone() is None:
        return False
    state, at = load(cur, [stream])[stream], database_now(cur)
    if row.cancel_requested:
        tx.append(ending_of(stream, state, REVOKED, cancelled_error(), at))
    else:
        tx.append(ending_of(stream, state, FAILURE, expired_error(state, days), at))
    return True
