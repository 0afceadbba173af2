"""What the runs of a job type were like: how many ended how, for how long they ran, and why they failed.

Numbers, durations and errors are read from sums by hour, the rest from the newest runs: however many there are, an
answer costs the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.db.statements import composed, time_text
from app.models.base import Ids
from app.models.sums import ErrorSum, RunSum
from app.models.tasks import Phase, Task
from app.tasks.durations import percentile
from app.tasks.fold import FAILURE, REVOKED, SUCCESS
from app.tasks.list_filter import SCAN_TASKS, of_all
from app.tasks.related import RUN_NAMES, run_row

ERRORS, RUNS = 10, 50
LONGEST_MESSAGE = 300  # characters
HOURLY_DAYS = 7  # a longer time is told by days

Whose = Mapping[str, Any]
"""The user or the tenant whose runs count, by the name of its column; ``everyone`` for all runs."""

_job: sa.BindParameter[Any] = sa.bindparam("job_type")
_since: sa.BindParameter[Any] = sa.bindparam("since")


def job_stats(cur: Cursor, job_type: str, whose: Whose, since: datetime, hourly: bool) -> dict[str, Any]:
    """Returns what runs that ended since then were like, by hours or by days (UTC), and the newest runs of all."""
    ((of, value),) = whose.items()
    given = {"job_type": job_type, "since": since, "whose": value}
    counts = dict.fromkeys((SUCCESS, FAILURE, REVOKED), 0)
    times, durations = defaultdict[str, dict[str, int]](dict), dict[int, int]()
    for at, status, bucket, number in _sums(of).execute(cur, **given, unit="hour" if hourly else "day"):
        if at is not None:
            counts[status] += number
            times[at][status] = times[at].get(status, 0) + number
        # Of the runs that succeeded: a failure may come at once or after a time limit.
        elif bucket is not None and status == SUCCESS:
            durations[bucket] = number
    runs = [dict(zip(RUN_NAMES, row, strict=True)) for row in _newest(of).execute(cur, **given)]
    succeeded = [run["task_id"] for run in runs if run["status"] == SUCCESS]
    decided = counts[SUCCESS] + counts[FAILURE]
    return {
        "counts": counts,
        "failure_rate": counts[FAILURE] / decided if decided else None,
        "duration": {"p50": percentile(durations, 0.5), "p95": percentile(durations, 0.95)},
        "times": [{"at": at, "counts": found} for at, found in sorted(times.items())],
        "errors": _found(_errors(of).execute(cur, **given)),
        "phases": _found(_phases().execute(cur, tasks=succeeded)) if succeeded else [],
        "runs": runs,
    }


def _found(cur: Cursor) -> list[dict[str, Any]]:
    assert cur.description
    names = [column.name for column in cur.description]
    return [dict(zip(names, row, strict=True)) for row in cur]


def _of(model: type[RunSum] | type[ErrorSum], of: str) -> sa.ColumnElement[bool]:
    return sa.and_(_owned(model, of), model.job_type == _job, model.hour >= _since)


def _owned(model: Any, of: str) -> sa.ColumnElement[bool]:
    return sa.true() if of == "everyone" else getattr(model, of) == sa.bindparam("whose")


def _sum(column: Any) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(column), sa.BigInteger)


@composed
def _sums(of: str) -> sa.ClauseElement:
    """By hour and status, and, without an hour, by status and bucket: both in one reading. A time is made text once for
    each hour, not for each row."""
    row = RunSum.hour, RunSum.status, RunSum.bucket
    sets = sa.func.grouping_sets(sa.tuple_(*row[:2]), sa.tuple_(*row[1:]))
    found = sa.select(*row, _sum(RunSum.number).label("number")).where(_of(RunSum, of)).group_by(sets)
    sums = found.subquery("sums").c
    unit: sa.BindParameter[str] = sa.bindparam("unit", type_=sa.Text)
    at = time_text(sa.func.date_trunc(unit, sums.hour, "UTC"))
    return sa.select(at, sums.status, sums.bucket, sums.number)


@composed
def _errors(of: str) -> sa.Select[Any]:
    """The most frequent ones, each with the last run that it ended, and the message there."""
    number, last_at = _sum(ErrorSum.number), sa.func.max(ErrorSum.last_at)
    ids = sa.func.array_agg(aggregate_order_by(ErrorSum.task_id, ErrorSum.last_at.desc()))
    found = (
        sa.select(
            ErrorSum.type,
            ErrorSum.place,
            number.label("number"),
            last_at.label("last_at"),
            ids[1].label("id"),
        )
        .where(_of(ErrorSum, of))
        .group_by(ErrorSum.type, ErrorSum.place)
        .order_by(number.desc(), last_at.desc())
        .limit(ERRORS)
        .subquery("found")
        .c
    )
    message = sa.func.left(Task.error.op("->>")("message"), LONGEST_MESSAGE).label("message")
    row = found.type, found.place, found.number, time_text(found.last_at).label("last_at")
    return (
        sa.select(*row, sa.cast(Task.id, sa.Text).label("task_id"), message)
        .outerjoin(Task, Task.id == found.id)
        .order_by(found.number.desc(), found.last_at.desc())
    )


@composed
def _phases() -> sa.Select[Any]:
    """The medians of runs that succeeded, in the order of the phases."""
    measured = sa.func.coalesce(
        Phase.duration_seconds, sa.cast(sa.extract("epoch", Phase.updated_at - Phase.started_at), sa.Double)
    )
    median = sa.func.percentile_cont(0.5).within_group(measured)
    return (
        sa.select(Phase.phase_id, median.label("median_seconds"), sa.func.count().label("runs"))
        .where(Phase.task_id == sa.any_(sa.bindparam("tasks", type_=Ids)), measured.is_not(None))
        .group_by(Phase.phase_id)
        .order_by(sa.func.min(Phase.position), Phase.phase_id)
        .limit(100)
    )


@composed
def _newest(of: str) -> sa.Select[Any]:
    """Of all runs there is no index by their job type: the newest ones of all are looked at."""
    task = Task
    if of == "everyone":
        newest = sa.select(Task).where(of_all()).order_by(Task.created_at.desc(), Task.id.desc())
        looked_at = newest.limit(SCAN_TASKS)
        task = aliased(Task, looked_at.subquery("tasks"))
    runs = sa.select(*run_row(task)).where(_owned(task, of), task.job_type == _job)
    return runs.order_by(task.created_at.desc(), task.id.desc()).limit(RUNS)
