"""Deletes old events, by age and by number, the oldest first, in batches that keep no writer waiting.

A finished task keeps its last event, which says how it ended; a running task keeps all events.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import JSON

from app.db.statements import Statement, composed, time_text
from app.models.streams import EventRow, Stream
from app.models.tasks import Task
from app.stream.store import Connect
from app.tasks.old_tasks import RUN_SECONDS

logger = logging.getLogger("taskroom.retention")

BATCH_EVENTS = 2_000
PAGE_STREAMS = 2_000  # read by one statement, however few of them lose events
MAX_ID = 2**63 - 1
LOCK_KEY = 7_465_736_102  # of an advisory lock; any number that no other code uses

CUTOFF = sa.func.now() - sa.bindparam("age")
# In the format of events, in which texts compare as times do.
IS_OLD = sa.cast(EventRow.payload, JSON)["timestamp"].astext < time_text(CUTOFF)
_oldest = (
    sa.select(sa.func.bool_and(IS_OLD).over(order_by=EventRow.seq).label("old"))
    .where(EventRow.stream_id == sa.bindparam("stream"))
    .where(EventRow.seq > sa.bindparam("after"), EventRow.seq <= sa.bindparam("upto"))
    .subquery("oldest")
)
_COUNT_OLD = Statement(sa.select(sa.func.count()).select_from(_oldest).where(_oldest.c.old))


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: ``days`` since a task's end, or since an event of another stream; the last ``events`` of a stream.
    0 sets no limit."""

    days: int
    events: int


@dataclass(slots=True)
class Prunable:
    """A stream that may lose events. ``has_task``: its last event, the end of its task, is kept. ``aged``: the task
    ended longer ago than its events are kept."""

    id: int
    last_seq: int
    pruned_to: int
    has_task: bool
    aged: bool


def prune(connect: Connect, keep: Retention, seconds: float = RUN_SECONDS) -> int:
    """Deletes old events for up to ``seconds``; returns how many. Raises DatabaseUnavailable.

    A run begins at a random stream: runs too short for all streams would otherwise always leave out the same ones.
    ``connect`` must always lend the same connection, whose session holds the advisory lock: of two runs at a time the
    second does nothing. A killed run leaves only whole batches, and its lock ends with its connection.
    """
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))
        if not cur.fetchall()[0][0]:
            return 0
        cur.execute("SELECT coalesce(max(id), 0) FROM streams")
        start = random.randint(0, cur.fetchall()[0][0])
    try:
        return _prune_all(connect, keep, start, time.monotonic() + seconds)
    finally:
        with connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))


def _prune_all(connect: Connect, keep: Retention, start: int, until: float) -> int:
    gone = 0
    for stream in prunable(connect, keep, start):
        full = True
        while full:
            if time.monotonic() >= until:
                logger.info("%d events were pruned in the time of this run; the next run goes on", gone)
                return gone
            count = prune_batch(connect, stream, keep)
            gone += count
            full = count == BATCH_EVENTS
    return gone


def prunable(connect: Connect, keep: Retention, start: int = 0) -> Iterator[Prunable]:
    """Yields prunable streams, those behind ``start`` first, then the others, a page at a time. The index that is read
    here leaves out ``fully_pruned`` streams, which have lost all that they may lose."""
    for after, last in ((start, MAX_ID), (0, start)):
        while after < last:
            looked_at, found = _page(connect, keep, after, last)
            yield from found
            if looked_at is None:
                break
            after = looked_at


def _page(connect: Connect, keep: Retention, after: int, last: int) -> tuple[int | None, list[Prunable]]:
    """Reads one page of streams; returns its last id, None at the end, and those of them that may lose events."""
    with connect() as conn, conn.cursor() as cur:
        bounds = {"after": after, "last": last, "page": PAGE_STREAMS}
        given = bounds | {"age": timedelta(days=keep.days), "events": keep.events}
        rows = _page_statement(keep.days > 0, keep.events > 0).execute(cur, **given).fetchall()
    found = [Prunable(*row) for *row, wanted in rows if wanted]
    return rows[-1][0] if len(rows) == PAGE_STREAMS else None, found


@composed
def _page_statement(by_age: bool, by_number: bool) -> sa.Select[Any]:
    """Selects streams that are not fully pruned, and whether each may lose events by the limits that are set."""
    stream = (
        sa.select(Stream.id, Stream.last_seq, Stream.pruned_to, Stream.closed)
        .where(~Stream.fully_pruned, Stream.id > sa.bindparam("after"), Stream.id <= sa.bindparam("last"))
        .order_by(Stream.id)
        .limit(sa.bindparam("page"))
        .subquery("looked_at")
        .c
    )
    no_task = Task.id.is_(None)
    aged: sa.ColumnElement[bool] = sa.false()
    limits = [aged]
    if by_age:
        aged = sa.func.coalesce(Task.finished_at < CUTOFF, sa.false())
        oldest = sa.select(IS_OLD).where(
            EventRow.stream_id == stream.id, EventRow.seq == stream.pruned_to + 1
        )
        limits += [aged, sa.and_(no_task, oldest.scalar_subquery())]
    if by_number:
        limits.append(stream.last_seq - stream.pruned_to > sa.bindparam("events"))
    may_go = sa.and_(sa.or_(no_task, stream.closed), sa.or_(*limits))
    return (
        sa.select(stream.id, stream.last_seq, stream.pruned_to, ~no_task, aged, may_go)
        .outerjoin(Task, Task.stream_id == stream.id)
        .order_by(stream.id)
    )


def prune_batch(connect: Connect, stream: Prunable, keep: Retention) -> int:
    """Deletes the oldest prunable events in one transaction; returns how many and moves ``stream.pruned_to``.

    The stream's row is locked last, after the deletes, so a writer waits for it only for a moment. When a writer has
    it, the batch is rolled back and 0 returned; the next run finds the stream again.
    """
    with connect() as conn, conn.cursor() as cur:
        upto = min(_target(cur, stream, keep), stream.pruned_to + BATCH_EVENTS)
        # Statements that change events and streams are literal here, as in the store.
        cur.execute(
            "DELETE FROM events WHERE stream_id = %s AND seq BETWEEN %s AND %s",
            (stream.id, stream.pruned_to + 1, upto),
        )
        cur.execute("SELECT 1 FROM streams WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED", (stream.id,))
        if not cur.fetchall():
            conn.rollback()
            return 0
        # A crash may lose this transaction without harm, so the commit does not hold the lock until it is on disk.
        # Never back: another run, whose session lost the advisory lock, may have pruned more since the stream was read.
        cur.execute(
            """SET LOCAL synchronous_commit = off;
               UPDATE streams SET pruned_to = greatest(pruned_to, %s), fully_pruned = fully_pruned OR %s
               WHERE id = %s""",
            (upto, stream.has_task and upto >= stream.last_seq - 1, stream.id),
        )
    count, stream.pruned_to = upto - stream.pruned_to, upto
    return count


def _target(cur: Cursor, stream: Prunable, keep: Retention) -> int:
    """Returns the last sequence that may be deleted, as far as one batch reads."""
    last = stream.last_seq - 1 if stream.has_task else stream.last_seq
    target = stream.pruned_to
    if keep.events:
        target = max(target, stream.last_seq - keep.events)
    if stream.aged:
        target = last
    elif keep.days and not stream.has_task:
        after = stream.pruned_to
        age, upto = timedelta(days=keep.days), after + BATCH_EVENTS
        old = _COUNT_OLD.execute(cur, stream=stream.id, after=after, upto=upto, age=age).fetchall()
        target = max(target, after + int(old[0][0]))
    return max(min(last, target), stream.pruned_to)
