"""Ends tasks that wait in vain for days: for an approval, or for a worker of a queue that none serves.

Other tasks need no such limit: a running task has a lease, and a parent that waits for its steps ends with them.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from app.db.clock import database_now
from app.db.sql import FIRST
from app.stream.event import task_stream
from app.stream.store import Connect, lock
from app.stream.transaction import Begin, Transaction
from app.tasks.endings import cancelled_error, ending_of, expired_error
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, WAITING
from app.tasks.projection import load
from app.tasks.retention import OLD, RUN_SECONDS

logger = logging.getLogger("taskroom.forsaken")

PAGE_TASKS = 200  # looked for in one statement

# A retry that is due later has not waited yet, however old its last event is.
_WAITS_LONG = """finished_at IS NULL AND status = ANY(%(waits)s)
    AND coalesce(updated_at, created_at) < now() - make_interval(days => %(days)s)
    AND NOT EXISTS (SELECT FROM dispatches
        WHERE task_id = tasks.id AND due_at >= now() - make_interval(days => %(days)s))"""


def expire_tasks(connect: Connect, begin: Begin, days: int, seconds: float = RUN_SECONDS) -> int:
    """Ends waiting tasks that had no event for ``days``, each in its own transaction, for up to ``seconds``; returns
    how many. Two runs at a time do no harm, nor does a kill. Raises StoreAway."""
    ended, until, after = 0, time.monotonic() + seconds, FIRST
    while page := _waiting(connect, days, after):
        for created_at, task_id in page:
            if time.monotonic() >= until:
                logger.info("%d tasks expired in the time of this run; the next run goes on", ended)
                return ended
            with begin() as tx:
                ended += _expire(tx, task_id, days)
            after = created_at, task_id
    return ended


def _waiting(connect: Connect, days: int, after: tuple[str, str]) -> list[tuple[str, str]]:
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            f"""SELECT created_at::text, id::text FROM tasks WHERE {_WAITS_LONG}
                    AND (created_at, id) > (%(created_at)s::timestamptz, %(id)s::uuid)
                ORDER BY tasks.created_at, tasks.id LIMIT %(page)s""",
            _values(days, created_at=after[0], id=after[1], page=PAGE_TASKS),
        )
        return cur.fetchall()


def _expire(tx: Transaction, task_id: str, days: int) -> bool:
    """Ends the task and returns True, unless it was claimed or decided meanwhile or its last event is newer."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None or row.closed:
        return False
    cur.execute(
        f"""SELECT 1 FROM tasks JOIN streams ON streams.id = stream_id JOIN events
                ON events.stream_id = streams.id AND seq = last_seq
            WHERE tasks.id = %(id)s AND {_WAITS_LONG} AND {OLD}""",
        _values(days, id=task_id),
    )
    if cur.fetchone() is None:
        return False
    state, at = load(cur, [stream])[stream], database_now(cur)
    if row.cancel_requested:
        tx.append(ending_of(stream, state, REVOKED, cancelled_error(), at))
    else:
        tx.append(ending_of(stream, state, FAILURE, expired_error(state, days), at))
    return True


def _values(days: int, **more: Any) -> dict[str, Any]:
    return {"days": days, "waits": [PENDING, WAITING, RETRY], **more}
