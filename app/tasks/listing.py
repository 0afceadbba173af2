"""Lists of tasks, by key: a page deep in the past costs what the first does.

A page is a piece of an index, also of one status or one job type. A filter that has no index looks at so many tasks at
a time, and the cursor says where to go on. Neither parameters nor results are in a list, of a plan only the shares of
its phases, and a page has an end in bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.db.statements import Statement, as_text, composed, sized
from app.models.base import Ids
from app.models.streams import IS_ERROR, EventRow, Stream
from app.models.tasks import Phase, Task
from app.stream.pages import PAGE_BYTES
from app.tasks import list_filter
from app.tasks.fold import SUCCESS
from app.tasks.list_filter import OWNERS, Given, Listing, filters, of_all, where
from app.tasks.projection import LIST_COLUMNS, row_of

_TEXTS = (
    "title",
    "current_phase",
    "current_phase_message",
    "error",
    "plan",
)  # of a listed task, each may be long
ROW_BYTES = 800  # of everything else of a listed task, about


class ListingPage(NamedTuple):
    """``next``: where to go on (created_at, id); a page that is not the last may be short, even empty."""

    tasks: list[dict[str, Any]]
    next: tuple[str, str] | None


def list_tasks(cur: Cursor, wanted: Listing, before: Sequence[str] | None, limit: int) -> ListingPage:
    """The newest tasks first, older than ``before`` (created_at, task_id)."""
    values = wanted.values() | ({"before": tuple(before)} if before else {})
    given = frozenset(values)
    bounds = {"scan": list_filter.SCAN_TASKS, "more": limit + 1, "limit": limit, "bytes": PAGE_BYTES}
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
    last = _end(given).execute(cur, **values, skipped=list_filter.SCAN_TASKS - 1).fetchall()
    return ListingPage(tasks, tuple(last[0]) if len(last) > 1 else None)


def _shares(plan: str) -> list[dict[str, Any]]:
    """Returns the share of each phase, of a plan as JSON."""
    return [{"phase_id": phase["phase_id"], "weight": phase["weight"]} for phase in orjson.loads(plan)]


def newest(task: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return task.created_at.desc(), task.id.desc()


def window(given: Given, *columns: Any) -> sa.Select[Any]:
    """The piece of an index that one request looks at; how much that is, is missing."""
    found = sa.select(*columns).where(where(given - filters(given), Task)).order_by(*newest(Task))
    return found if given & OWNERS else found.where(of_all())


@composed
def _page(given: Given) -> sa.Select[Any]:
    names = "stream_id", *LIST_COLUMNS
    first = window(given, *(getattr(Task, name) for name in (*names, "plan", "tenant")))
    looked_at = first.limit(sa.bindparam("scan")).subquery("tasks").c
    # As text, which orjson reads in a quarter of the time. A run that succeeded is one bar, without its phases.
    plan = sa.case((looked_at.status != SUCCESS, sa.cast(looked_at.plan, sa.Text)))
    columns = *(looked_at[name] for name in names), plan.label("plan")
    filtered = sa.select(*columns).where(where(filters(given), looked_at)).order_by(*newest(looked_at))
    listed = filtered.limit(sa.bindparam("more")).subquery("listed")
    # Sizes are added up before anything is sent: a traceback has up to 16,000 characters.
    texts = (sa.func.octet_length(sa.cast(listed.c[name], sa.Text)) for name in _TEXTS)
    size = sum((sa.func.coalesce(text, 0) for text in texts), sa.literal(ROW_BYTES))
    task = sized(listed, size, *newest(listed.c)).c
    return (
        sa.select(task.found, Stream.attempt, task.plan, *as_text(*(task[name] for name in LIST_COLUMNS)))
        .where(Stream.id == task.stream_id, task.sent < sa.bindparam("bytes"))
        .order_by(*newest(task))
        .limit(sa.bindparam("limit"))
    )


@composed
def _end(given: Given) -> sa.Select[Any]:
    """The last task of a window, and the next one. Read from the index alone."""
    return window(given, *as_text(Task.created_at, Task.id)).limit(2).offset(sa.bindparam("skipped"))


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


PHASES_OF_ROW = 24  # as many as a bar in a list has room for
PHASES_OF_PAGE = 2_000
PHASE_NAMES = (
    *("phase_id", "status", "processed_count", "total_count", "error_count", "started_at", "updated_at"),
    "duration_seconds",
)
# Literal, for what is read of each task is limited.
_PHASES = f"""SELECT listed.id::text, {", ".join(PHASE_NAMES[:5])}, {TIME_TEXT.format("started_at")},
        {TIME_TEXT.format("updated_at")}, duration_seconds
    FROM unnest(%(tasks)s::uuid[]) WITH ORDINALITY AS listed (id, number), LATERAL (
        SELECT * FROM phases WHERE task_id = listed.id ORDER BY position LIMIT {PHASES_OF_ROW}) AS first
    ORDER BY number, position LIMIT {PHASES_OF_PAGE}"""


def row_phases(cur: Cursor, task_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Returns the first phases of each of these tasks, without messages: as many as bars in a list show."""
    found = defaultdict[str, list[dict[str, Any]]](list)
    if task_ids:
        cur.execute(_PHASES, {"tasks": list(task_ids)})
        for task_id, *phase in cur:
            found[task_id].append(dict(zip(PHASE_NAMES, phase, strict=True)))
    return found


MOST_ERROR_LINES = 100  # of a task that are counted for a list
_LINES = sa.select(sa.literal(1)).where(EventRow.stream_id == Task.stream_id, sa.text(IS_ERROR))
# Of each task its phases with errors, and so many entries of the index of errors: both have an index.
_ERRORS = Statement(
    sa.select(
        *as_text(Task.id),
        sa.select(sa.func.coalesce(sa.cast(sa.func.sum(Phase.error_count), sa.BigInteger), 0))
        .where(Phase.task_id == Task.id, Phase.error_count > 0)
        .scalar_subquery(),
        sa.select(sa.func.count())
        .select_from(_LINES.limit(MOST_ERROR_LINES).correlate(Task).lateral())
        .scalar_subquery(),
    ).where(Task.id == sa.any_(sa.bindparam("tasks", type_=Ids)))
)


def row_errors(cur: Cursor, task_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Returns how many items each of these tasks could not do, and how many lines of its log are errors, so many at
    most."""
    return {id: (items, lines) for id, items, lines in _ERRORS.execute(cur, tasks=list(task_ids))}


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
