"""Lists of tasks, by key: a page deep in the past costs what the first does.

A page is a piece of an index, also of one status or one job type. A filter that has no index looks at so many tasks at
a time, and the cursor says where to go on. Neither parameters nor results are in a list, of a plan only the shares of
its phases, and a page has an end in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text, composed, sized
from app.models.base import Ids
from app.models.streams import Stream
from app.models.tasks import Phase, Task, TaskCount
from app.stream.pages import PAGE_BYTES
from app.tasks.fold import SUCCESS
from app.tasks.projection import LIST_COLUMNS, row_of
from app.tasks.sums import Sums

SCAN_TASKS = 5_000  # what one request may look at, in about 10 ms, before it says where to go on
TRIGGERS = ("manual", "scheduled", "retry", "subtask")
_TEXTS = (
    "title",
    "current_phase",
    "current_phase_message",
    "error",
    "plan",
)  # of a listed task, each may be long
ROW_BYTES = 800  # of everything else of a listed task, about

Given = frozenset[str]
"""The names of the conditions of a list: lists that have the same ones are read by the same statement."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Of a user, of a tenant or of a parent: each has its index. ``kind`` matches a job type or a trigger; ``since``
    and ``until`` bound the creation; ``q`` is a text that title or job type contain, or that the id begins with."""

    user_id: str | None = None
    tenant: str | None = None
    status: str | None = None
    job_type: str | None = None
    parent_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None

    def values(self) -> dict[str, Any]:
        """The value of each condition that the list has, by its name."""
        assert self.user_id or self.tenant or self.parent_id, "a list is somebody's"
        values = {name: value for name, value in asdict(self).items() if value is not None}
        if self.kind in TRIGGERS:
            values["trigger"] = values.pop("kind")
        return values


class ListingPage(NamedTuple):
    """``next``: where to go on (created_at, id); a page that is not the last may be short, even empty."""

    tasks: list[dict[str, Any]]
    next: tuple[str, str] | None


def list_tasks(cur: Cursor, wanted: Listing, before: Sequence[str] | None, limit: int) -> ListingPage:
    """The newest tasks first, older than ``before`` (created_at, task_id)."""
    values = wanted.values() | ({"before": tuple(before)} if before else {})
    given = frozenset(values)
    bounds = {"scan": SCAN_TASKS, "more": limit + 1, "limit": limit, "bytes": PAGE_BYTES}
    rows = _page(given).execute(cur, **values, **bounds).fetchall()
    tasks = []
    for _, attempt, plan, *row in rows:
        tasks.append(row_of(attempt, row))
        tasks[-1]["plan"] = _shares(plan) if plan else None
    if rows and rows[0][0] > len(rows):
        return ListingPage(tasks, (tasks[-1]["created_at"], tasks[-1]["task_id"]))
    if not filters(given):
        return ListingPage(tasks, None)
    # The last task that was looked at, unless that was the last of all.
    last = _end(given).execute(cur, **values, skipped=SCAN_TASKS - 1).fetchall()
    return ListingPage(tasks, tuple(last[0]) if len(last) > 1 else None)


def _shares(plan: str) -> list[dict[str, Any]]:
    """Returns the share of each phase, of a plan as JSON."""
    return [{"phase_id": phase["phase_id"], "weight": phase["weight"]} for phase in orjson.loads(plan)]


COUNTS = Sums(TaskCount, ("user_id", "tenant", "status"), "number", group=("user_id",))


def status_counts(cur: Cursor, wanted: Listing, stream: str) -> tuple[dict[str, int], int, bool]:
    """How many tasks have which status, the last sequence of ``stream`` as of the same moment (one statement sees one
    state of the database), and whether these are all: with a filter only the newest ``SCAN_TASKS`` are counted."""
    values = wanted.values()
    counts = _counts(frozenset(values)).execute(cur, **values, stream=stream, scan=SCAN_TASKS + 1)
    sequence, found, seen = counts.fetchall()[0]
    return found or {}, sequence, seen <= SCAN_TASKS


def filters(given: Given) -> Given:
    """The conditions for which each task has to be looked at: a list by status has no index of types as well."""
    return given & ({"trigger", "q", "job_type", "kind"} if "status" in given else {"trigger", "q"})


def _where(names: Given, task: Any) -> sa.ColumnElement[bool]:
    """These conditions, of a model or of the columns of a subquery."""
    return sa.and_(sa.true(), *(_condition(name, task) for name in sorted(names)))


def _condition(name: str, task: Any) -> Any:
    value: sa.BindParameter[Any] = sa.bindparam(name)
    match name:
        case "since":
            return task.created_at >= value
        case "until":
            return task.created_at < value
        case "before":
            return sa.tuple_(task.created_at, task.id) < value
        case "kind":
            return task.job_type == value
        case "trigger":
            return sa.or_(task.job_type == value, task.trigger == value)
        case "q":  # by position and not by LIKE, to which % and _ would mean something
            text = sa.func.lower(value)
            return sa.or_(
                *(sa.func.strpos(sa.func.lower(column), text) > 0 for column in (task.title, task.job_type)),
                sa.func.starts_with(sa.cast(task.id, sa.Text), text),
            )
        case _:
            return getattr(task, name) == value


def _newest(task: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return task.created_at.desc(), task.id.desc()


def _window(given: Given, *columns: Any) -> sa.Select[Any]:
    """The piece of an index that one request looks at; how much that is, is missing."""
    return sa.select(*columns).where(_where(given - filters(given), Task)).order_by(*_newest(Task))


@composed
def _page(given: Given) -> sa.Select[Any]:
    names = "stream_id", *LIST_COLUMNS
    newest = _window(given, *(getattr(Task, name) for name in (*names, "plan")))
    window = newest.limit(sa.bindparam("scan")).subquery("tasks")
    # As text, which orjson reads in a quarter of the time. A run that succeeded is one bar, without its phases.
    plan = sa.case((window.c.status != SUCCESS, sa.cast(window.c.plan, sa.Text)))
    columns = *(window.c[name] for name in names), plan.label("plan")
    filtered = sa.select(*columns).where(_where(filters(given), window.c)).order_by(*_newest(window.c))
    listed = filtered.limit(sa.bindparam("more")).subquery("listed")
    # Sizes are added up before anything is sent: a traceback has up to 16,000 characters.
    texts = (sa.func.octet_length(sa.cast(listed.c[name], sa.Text)) for name in _TEXTS)
    size = sum((sa.func.coalesce(text, 0) for text in texts), sa.literal(ROW_BYTES))
    task = sized(listed, size, *_newest(listed.c)).c
    return (
        sa.select(task.found, Stream.attempt, task.plan, *as_text(*(task[name] for name in LIST_COLUMNS)))
        .where(Stream.id == task.stream_id, task.sent < sa.bindparam("bytes"))
        .order_by(*_newest(task))
        .limit(sa.bindparam("limit"))
    )


@composed
def _end(given: Given) -> sa.Select[Any]:
    """The last task of a window, and the next one. Read from the index alone."""
    return _window(given, *as_text(Task.created_at, Task.id)).limit(2).offset(sa.bindparam("skipped"))


@composed
def _counts(given: Given) -> sa.Select[Any]:
    number: sa.ColumnElement[int]
    if given <= {"user_id", "tenant"}:  # all that a user or a tenant has is counted as it changes
        number = sa.cast(sa.func.sum(TaskCount.number), sa.BigInteger)
        counting = sa.select(TaskCount.status, number.label("number"), sa.literal(0).label("seen"))
        counting = counting.where(_where(given, TaskCount)).group_by(TaskCount.status)
    else:
        window = _window(given, Task.id, Task.status, Task.title, Task.job_type, Task.trigger)
        task = window.limit(sa.bindparam("scan")).subquery("tasks").c
        number = sa.func.count().filter(_where(filters(given), task))
        counting = sa.select(task.status, number.label("number"), sa.func.count().label("seen"))
        counting = counting.group_by(task.status)
    counted = counting.subquery("counted").c
    sequence = sa.select(Stream.last_seq).where(Stream.name == sa.bindparam("stream")).scalar_subquery()
    return sa.select(
        sa.func.coalesce(sequence, 0),
        sa.func.json_object_agg(counted.status, counted.number).filter(counted.number > 0),
        sa.func.coalesce(sa.func.sum(counted.seen), 0),
    )


_PHASE_COUNTS = Statement(
    sa.select(
        *as_text(Phase.task_id),
        sa.func.count(),
        *(sa.cast(sa.func.sum(n), sa.BigInteger) for n in (Phase.processed_count, Phase.error_count)),
    )
    .where(Phase.task_id == sa.any_(sa.bindparam("tasks", type_=Ids)))
    .group_by(Phase.task_id)
)


def phase_counts(cur: Cursor, task_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Sums over each task's phases: {task_id: {phases, processed, errors}}."""
    return {
        task_id: {"phases": phases, "processed": processed, "errors": errors}
        for task_id, phases, processed, errors in _PHASE_COUNTS.execute(cur, tasks=list(task_ids))
    }


_ACTIVE = Statement(
    sa.select(*as_text(Task.id))
    .where(Task.user_id == sa.bindparam("user"), Task.finished_at.is_(None), Task.parent_id.is_(None))
    .order_by(Task.created_at.desc())
    .limit(1)
)


def active_task(cur: Cursor, user_id: str) -> str | None:
    """The user's newest unfinished task that is no step of another."""
    row = _ACTIVE.execute(cur, user=user_id).fetchone()
    return str(row[0]) if row else None
