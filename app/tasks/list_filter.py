"""The filter of a list of tasks: whose tasks, and which of them.

Most conditions are a piece of an index. For the others each task has to be looked at: so many in one request.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.models.base import Ids
from app.models.streams import IS_ERROR, EventRow
from app.models.tasks import Phase, Task
from app.tasks.fold import FAILURE, SUCCESS, WAITING

SCAN_TASKS = 5_000  # what one request may look at, in about 10 ms, before it says where to go on
TRIGGERS = ("manual", "scheduled", "retry", "subtask")
# What no index has.
_LOOKED_AT = frozenset({"trigger", "q", "errors", "unsuccessful", "min_seconds", "max_seconds"})
_KINDS = frozenset({"status", "job_type", "kind"})
OWNERS = frozenset({"user_id", "tenant", "parent_id"})

Given = frozenset[str]
"""The names of the conditions of a list: lists that have the same ones are read by the same statement."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Of a user, of a tenant, of a user in a tenant, of a parent or of ``everyone``: each has its index. ``kind``
    matches a job type or a trigger; ``since`` and ``until`` bound the creation; ``q`` is a text that title or job type
    contain, or that the id begins with. ``top``: no steps. ``errors``: those that failed or have errors in their log.
    ``unsuccessful``: those that have not succeeded. ``approval``: those that wait for approval, or have a task below
    that does. ``min_seconds`` and ``max_seconds`` bound how long ended tasks ran."""

    user_id: str | None = None
    tenant: str | None = None
    everyone: bool | None = None
    status: str | None = None
    job_type: str | None = None
    parent_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    top: bool | None = None
    errors: bool | None = None
    unsuccessful: bool | None = None
    approval: bool | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None

    def values(self) -> dict[str, Any]:
        """The value of each condition that the list has, by its name."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        values = {name: value for name, value in values.items() if value is not False}
        if self.kind in TRIGGERS:
            values["trigger"] = values.pop("kind")
        assert values.pop("everyone", False) or values.keys() & OWNERS, "a list is somebody's"
        return values


def filters(given: Given) -> Given:
    """The conditions for which each task has to be looked at: a list by status has no index of types as well, one of
    all tenants none but of time."""
    looked_at = _LOOKED_AT
    if not given & OWNERS:
        looked_at |= {*_KINDS, "top"}
    if given & _KINDS:
        looked_at |= {"top"}
    if "status" in given:
        looked_at |= {"job_type", "kind"}
    if "user_id" in given:
        looked_at |= {"tenant"}
    return given & looked_at


def where(names: Given, task: Any) -> sa.ColumnElement[bool]:
    """These conditions, of a model or of the columns of a subquery; look-ups come last, for a task that meets the
    others."""
    order = sorted(names - {"approval", "errors"}) + sorted(names & {"errors"})
    conditions = [_condition(name, task) for name in order]
    if "approval" in names:
        conditions.append(task.id == sa.any_(_waiting(names & {"user_id", "tenant"})))
    return sa.and_(sa.true(), *conditions)


def of_all() -> sa.ColumnElement[bool]:
    """The condition of the index of all tasks by time: every task meets it."""
    return Task.stream_id > 0


def _waiting(owner: Given) -> sa.ColumnElement[Any]:
    """The ids of the owner's tasks that wait for approval, and of all above them: few, and found from below by index.
    An array, for which Postgres looks up each id; of a subquery it may read the whole list instead."""
    waiting = sa.select(Task.id, Task.parent_id).where(
        where(owner, Task), Task.status == WAITING, Task.finished_at.is_(None)
    )
    up = waiting.cte("up", recursive=True)
    up = up.union(sa.select(Task.id, Task.parent_id).where(Task.id == up.c.parent_id))
    return sa.func.array(sa.select(up.c.id).scalar_subquery(), type_=Ids)


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
        case "top":
            return task.parent_id.is_(None)
        case "errors":
            return _has_errors(task)
        case "unsuccessful":
            return task.status != SUCCESS
        case "min_seconds":
            return sa.extract("epoch", task.finished_at - task.started_at) >= value
        case "max_seconds":
            return sa.extract("epoch", task.finished_at - task.started_at) <= value
        case _:
            return getattr(task, name) == value


def _has_errors(task: Any) -> sa.ColumnElement[bool]:
    """Each a look-up in an index. EXISTS would let Postgres read all phases and events instead."""
    one = sa.literal(1)
    line = sa.select(one).where(EventRow.stream_id == task.stream_id, sa.text(IS_ERROR)).limit(1)
    phase = sa.select(one).where(Phase.task_id == task.id, Phase.error_count > 0).limit(1)
    found = (each.scalar_subquery().is_not(None) for each in (line, phase))
    return sa.or_(task.status == FAILURE, *found)
