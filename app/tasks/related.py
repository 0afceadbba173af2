"""The runs beside a run: those of its job type before it, and those that were started again from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.orm import aliased

from app.db.statements import Statement, as_text, composed
from app.models.tasks import Task
from app.tasks.fold import SUCCESS

EARLIER = 24  # as many as a side bar has room for
AGAIN = 20

RUN_NAMES = ("task_id", "title", "status", "created_at", "started_at", "finished_at", "retry_of", "again_of")


def run_row(task: Any) -> list[sa.ColumnElement[Any]]:
    """Returns the columns of ``RUN_NAMES``, of the model or of an alias of it."""
    return as_text(*(getattr(task, "id" if name == "task_id" else name) for name in RUN_NAMES))


RUN_ROW = run_row(Task)
_task: sa.BindParameter[Any] = sa.bindparam("task")
_KIND = Statement(sa.select(Task.job_type, Task.observed).where(Task.id == _task))


def kind_of(cur: Cursor, task_id: str) -> tuple[str, bool] | None:
    """Returns the job type, and whether others run the task; None when there is no such task."""
    row = _KIND.execute(cur, task=task_id).fetchone()
    return (str(row[0]), bool(row[1])) if row else None


def earlier(cur: Cursor, task_id: str, whose: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns the task and the runs of its job type that were made before it, newest first: ``EARLIER`` in all, and the
    last one before it that succeeded where that is older. ``whose`` has the user or the tenant whose runs they are.

    Both are ranges of an index, however many runs there are."""
    ((of, value),) = whose.items()
    rows = [
        row
        for statement in (_earlier(of), _last_success(of))
        for row in statement.execute(cur, task=task_id, whose=value).fetchall()
    ]
    return list({row[0]: dict(zip(RUN_NAMES, row, strict=True)) for row in rows}.values())


def started_again(cur: Cursor, task_id: str, visible: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns the runs that were started again from the task, newest first, ``AGAIN`` at most: its retries, and those
    with its parameters, changed. ``visible``: of these users and tenants; empty for all."""
    found = _again(frozenset(visible)).execute(cur, task=task_id, **visible).fetchall()
    return [dict(zip(RUN_NAMES, row, strict=True)) for row in found]


def _of_this(name: str) -> sa.ScalarSelect[Any]:
    this = aliased(Task)
    return sa.select(getattr(this, name)).where(this.id == _task).scalar_subquery()


def _history(of: str) -> sa.Select[Any]:
    return sa.select(*RUN_ROW).where(
        getattr(Task, of) == sa.bindparam("whose"), Task.job_type == _of_this("job_type")
    )


@composed
def _earlier(of: str) -> sa.Select[Any]:
    newest = Task.created_at.desc(), Task.id.desc()
    upto = sa.tuple_(_of_this("created_at"), _of_this("id"))
    return _history(of).where(sa.tuple_(Task.created_at, Task.id) <= upto).order_by(*newest).limit(EARLIER)


@composed
def _last_success(of: str) -> sa.Select[Any]:
    """The index of a tenant's successes begins with the job type, and has "" for none."""
    found = _history(of).where(Task.status == SUCCESS, Task.finished_at < _of_this("created_at"))
    if of == "tenant":
        found = found.where(sa.func.coalesce(Task.tenant, "") == sa.bindparam("whose"))
    return found.order_by(Task.finished_at.desc()).limit(1)


@composed
def _again(visible: frozenset[str]) -> sa.Select[Any]:
    """Each of the two is the end of a range of an index of its own: an OR would sort all."""
    newest = Task.created_at.desc(), Task.id.desc()
    arms = (
        sa.select(Task.id, Task.created_at).where(column == _task).order_by(*newest).limit(AGAIN).subquery()
        for column in (Task.again_of, Task.retry_of)
    )
    ids = sa.union_all(*(sa.select(arm.c.id) for arm in arms)).subquery("ids")
    seen = sa.or_(*(getattr(Task, name) == sa.bindparam(name) for name in sorted(visible)))
    found = sa.select(*RUN_ROW).where(Task.id == ids.c.id).order_by(*newest).limit(AGAIN)
    return found.where(seen) if visible else found
