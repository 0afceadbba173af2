"""Lists of workers, queues and schedules, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.list_pages import Page, bytes_of, read_page, sized_page
from app.db.statements import Statement, composed
from app.models.observed import QueueReport, ScheduleReport, WorkerReport
from app.tasks.observed import fleet_details
from app.tasks.observed.fleet import ALIVE_BEATS, ALIVE_SECONDS

WORKER = (
    *("name", "host", "pid", "pool", "slots", "queues", "memory_bytes", "versions", "beat_seconds", "since"),
    *("seen_at", "own", "alive", "reporter", "running"),
)
QUEUE = ("name", "depth", "oldest_wait_seconds", "beat_seconds", "seen_at", "own", "alive", "reporter")
SCHEDULE = (
    *("name", "job_type", "schedule", "last_run_at", "last_task_id", "last_error", "next_run_at", "ended_at"),
    *("end_error", "beat_seconds", "seen_at", "own", "alive", "reporter"),
)
_TEXTS = frozenset(
    {"name", "host", "pool", "queues", "versions", "running", "schedule", "last_error"}
)  # each may be long
Row = dict[str, Any]


class FleetPage(NamedTuple):
    """``next``: where to go on (name, id)."""

    rows: list[Row]
    next: tuple[str, str] | None


def list_workers(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> FleetPage:
    """Returns workers after ``before`` (name, id). ``whose``: the account and its tenant, empty for all. Tasks that it
    may not read are left out."""
    page = _named(WORKER, _read(cur, _workers(frozenset(whose), before is not None), whose, before, limit))
    fleet_details.add_to_workers(cur, page.rows, whose)
    return _named_reporters(cur, page)


def list_queues(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> FleetPage:
    """Returns queues, as ``list_workers`` returns workers."""
    page = _named(QUEUE, _read(cur, _queues(frozenset(whose), before is not None), whose, before, limit))
    fleet_details.add_to_queues(cur, page.rows)
    return _named_reporters(cur, page)


def list_schedules(cur: Cursor, whose: dict[str, str], before: Sequence[str] | None, limit: int) -> FleetPage:
    """Returns what beats run, as ``list_workers`` returns workers."""
    statement = _schedules(frozenset(whose), before is not None)
    page = _named(SCHEDULE, _read(cur, statement, whose, before, limit))
    fleet_details.add_to_schedules(cur, page.rows, whose)
    return _named_reporters(cur, page)


def _read(
    cur: Cursor, statement: Statement, whose: dict[str, str], before: Sequence[str] | None, limit: int
) -> Page:
    return read_page(cur, statement, limit, **whose, **({"before": tuple(before)} if before else {}))


def _named(names: Sequence[str], page: Page) -> FleetPage:
    last = page.rows[-1][1::-1] if page.has_more else None
    return FleetPage([dict(zip(("id", *names), row, strict=True)) for row in page.rows], last)


def _named_reporters(cur: Cursor, page: FleetPage) -> FleetPage:
    """Names the keys by which the rows are reported. The ids are for the cursor and for what belongs to the rows."""
    cur.execute(
        "SELECT id::text, name FROM api_keys WHERE id = ANY(%s::uuid[])",
        ([row["reporter"] for row in page.rows if row["reporter"]],),
    )
    names = dict(cur.fetchall())
    for row in page.rows:
        del row["id"]
        row["reporter"] = names.get(row["reporter"])
    return page


@composed
def _workers(given: frozenset[str], later: bool) -> sa.Select[Any]:
    running = sa.cast(WorkerReport.running, sa.ARRAY(sa.Text)).label("running")
    return _list(WorkerReport, WORKER[:-5], given, later, running)


@composed
def _queues(given: frozenset[str], later: bool) -> sa.Select[Any]:
    return _list(QueueReport, QUEUE[:-4], given, later)


@composed
def _schedules(given: frozenset[str], later: bool) -> sa.Select[Any]:
    return _list(ScheduleReport, SCHEDULE[:-4], given, later)


def _list(
    model: type[WorkerReport | QueueReport | ScheduleReport],
    names: tuple[str, ...],
    given: frozenset[str],
    later: bool,
    *more: sa.ColumnElement[Any],
) -> sa.Select[Any]:
    silent = sa.func.greatest(ALIVE_SECONDS, ALIVE_BEATS * model.beat_seconds)
    # make_interval takes its arguments by position: years, months, weeks, days, hours, minutes, seconds.
    alive = model.seen_at > sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, silent)
    columns = (getattr(model, name) for name in names)
    own = model.user_id.is_(None).label("own")
    reporter = sa.cast(model.reporter, sa.Text).label("reporter")
    found = sa.select(model.id, *columns, model.seen_at, own, alive.label("alive"), reporter, *more)
    if given:
        theirs = (getattr(model, name) == sa.bindparam(name) for name in sorted(given))
        found = found.where(sa.or_(model.user_id.is_(None), *theirs))
    if later:
        found = found.where(sa.tuple_(model.name, model.id) > sa.bindparam("before"))
    return sized_page(found, lambda of: (of.name, of.id), _sizes)


def _sizes(of: Any) -> Iterable[sa.ColumnElement[int]]:
    return (bytes_of(column) for column in of if column.name in _TEXTS)
