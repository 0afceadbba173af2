"""Lists of workers and queues, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.list_pages import Page, bytes_of, read_page, sized_page
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
_TEXTS = frozenset({"name", "host", "pool", "queues", "versions", "running"})  # each may be long
Row = dict[str, Any]


class FleetPage(NamedTuple):
    """``next``: where to go on (name, id)."""

    rows: list[Row]
    next: tuple[str, str] | None


def list_workers(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> FleetPage:
    """Returns workers after ``before`` (name, id). ``whose``: the account and its tenant, empty for all. Tasks that it
    may not read are left out of ``running``."""
    page = _read(cur, _workers(frozenset(whose), before is not None), whose, before, limit)
    running = {task_id for row in page.rows for task_id in row[-1]}
    found = _READABLE if whose else _KNOWN
    asked = {"tasks": list(running)} | ({"tenant": None} | whose if whose else {})
    readable = {task_id for (task_id,) in found.execute(cur, **asked)} if running else set()
    rows = [(*row[:-1], [task_id for task_id in row[-1] if task_id in readable]) for row in page.rows]
    return _named(WORKER, Page(rows, page.has_more))


def list_queues(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> FleetPage:
    """Returns queues, as ``list_workers`` returns workers."""
    return _named(QUEUE, _read(cur, _queues(frozenset(whose), before is not None), whose, before, limit))


def _read(
    cur: Cursor, statement: Statement, whose: dict[str, str], before: Sequence[str] | None, limit: int
) -> Page:
    return read_page(cur, statement, limit, **whose, **({"before": tuple(before)} if before else {}))


def _named(names: Sequence[str], page: Page) -> FleetPage:
    """Names the values. The id, which only the cursor needs, is left out."""
    last = page.rows[-1][1::-1] if page.has_more else None
    return FleetPage([dict(zip(names, row[1:], strict=True)) for row in page.rows], last)


@composed
def _workers(given: frozenset[str], later: bool) -> sa.Select[Any]:
    running = sa.cast(WorkerReport.running, sa.ARRAY(sa.Text)).label("running")
    return _list(WorkerReport, WORKER[:-3], given, later, running)


@composed
def _queues(given: frozenset[str], later: bool) -> sa.Select[Any]:
    return _list(QueueReport, QUEUE[:-2], given, later)


def _list(
    model: type[WorkerReport | QueueReport],
    names: tuple[str, ...],
    given: frozenset[str],
    later: bool,
    *more: sa.ColumnElement[Any],
) -> sa.Select[Any]:
    silent = sa.func.greatest(ALIVE_SECONDS, ALIVE_BEATS * model.beat_seconds)
    # make_interval takes its arguments by position: years, months, weeks, days, hours, minutes, seconds.
    alive = model.seen_at > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, silent)
    columns = (getattr(model, name) for name in names)
    found = sa.select(model.id, *columns, model.seen_at, alive.label("alive"), *more)
    if given:
        own = (getattr(model, name) == sa.bindparam(name) for name in sorted(given))
        found = found.where(sa.or_(model.user_id.is_(None), *own))
    if later:
        found = found.where(sa.tuple_(model.name, model.id) > sa.bindparam("before"))
    return sized_page(found, lambda of: (of.name, of.id), _sizes)


def _sizes(of: Any) -> Iterable[sa.ColumnElement[int]]:
    return (bytes_of(column) for column in of if column.name in _TEXTS)


_among = Task.id == sa.any_(sa.bindparam("tasks", type_=Ids))
_KNOWN = Statement(sa.select(*as_text(Task.id)).where(_among))
_READABLE = Statement(
    sa.select(*as_text(Task.id)).where(
        _among, sa.or_(Task.user_id == sa.bindparam("user_id"), Task.tenant == sa.bindparam("tenant"))
    )
)
