"""Lists of workers and queues, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text, composed
from app.models.base import Ids
from app.models.observed import QueueReport, WorkerReport
from app.models.tasks import Task

ALIVE_SECONDS, ALIVE_BEATS = 30, 3  # what did not report for the longer of both is not alive

WORKER = (
    *("name", "host", "pid", "pool", "slots", "queues", "memory_bytes", "versions", "beat_seconds"),
    *("seen_at", "alive", "running"),
)
QUEUE = ("name", "depth", "oldest_wait_seconds", "beat_seconds", "seen_at", "alive")
Row = dict[str, Any]


def list_workers(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> list[Row]:
    """Returns workers after ``before`` (name, id), one more than ``limit`` when there are more. ``whose``: the account
    and its tenant, empty for all. Tasks that it may not read are left out of ``running``."""
    rows = _read(
        cur, _list(WorkerReport, WORKER[:-3], frozenset(whose), before is not None), whose, before, limit
    )
    running = {task_id for row in rows for task_id in row[-1]}
    found = _READABLE if whose else _KNOWN
    asked = {"tasks": list(running)} | ({"tenant": None} | whose if whose else {})
    readable = {task_id for (task_id,) in found.execute(cur, **asked)} if running else set()
    return [
        _named(WORKER, (*row[:-1], [task_id for task_id in row[-1] if task_id in readable])) for row in rows
    ]


def list_queues(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> list[Row]:
    """Returns queues, as ``list_workers`` returns workers."""
    rows = _read(
        cur, _list(QueueReport, QUEUE[:-2], frozenset(whose), before is not None), whose, before, limit
    )
    return [_named(QUEUE, row) for row in rows]


def _read(
    cur: Cursor, statement: Statement, whose: dict[str, str], before: Sequence[str] | None, limit: int
) -> list[tuple[Any, ...]]:
    given = whose | ({"before": tuple(before)} if before else {})
    return statement.execute(cur, **given, more=limit + 1).fetchall()


def _named(names: Sequence[str], row: Sequence[Any]) -> Row:
    """Returns the row with its id, which only the cursor needs, under ``id``."""
    return {"id": row[0]} | dict(zip(names, row[1:], strict=True))


@composed
def _list(
    model: type[WorkerReport | QueueReport], names: tuple[str, ...], given: frozenset[str], later: bool
) -> sa.Select[Any]:
    silent = sa.func.greatest(ALIVE_SECONDS, ALIVE_BEATS * model.beat_seconds)
    # make_interval takes its arguments by position: years, months, weeks, days, hours, minutes, seconds.
    alive = model.seen_at > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, silent)
    columns = [getattr(model, name) for name in names]
    running = [sa.cast(WorkerReport.running, sa.ARRAY(sa.Text))] if model is WorkerReport else []
    statement = sa.select(*as_text(model.id, *columns, model.seen_at), alive, *running)
    if given:
        statement = statement.where(
            sa.or_(
                model.user_id.is_(None),
                *(getattr(model, name) == sa.bindparam(name) for name in sorted(given)),
            )
        )
    if later:
        statement = statement.where(sa.tuple_(model.name, model.id) > sa.bindparam("before"))
    return statement.order_by(model.name, model.id).limit(sa.bindparam("more"))


_among = Task.id == sa.any_(sa.bindparam("tasks", type_=Ids))
_KNOWN = Statement(sa.select(*as_text(Task.id)).where(_among))
_READABLE = Statement(
    sa.select(*as_text(Task.id)).where(
        _among, sa.or_(Task.user_id == sa.bindparam("user_id"), Task.tenant == sa.bindparam("tenant"))
    )
)
