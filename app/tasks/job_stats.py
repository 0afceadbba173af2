"""What the runs of a job type were like: how many ended how, for how long they ran, and why they failed.

All but the last runs is read from sums by hour: however many there are, an answer costs the same.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.statements import composed, time_text
from app.models.sums import ErrorSum, RunSum
from app.models.tasks import Task
from app.tasks.durations import percentile
from app.tasks.fold import FAILURE, REVOKED, SUCCESS
from app.tasks.job_list import open_counts
from app.tasks.job_rates import failure_rate, job_rates
from app.tasks.job_sums import phase_times
from app.tasks.last_runs import last_runs
from app.tasks.whose import Whose

ERRORS, RUNS = 10, 50
LONGEST_MESSAGE = 300  # characters
HOURLY_DAYS = 7  # a longer time is told by days

_job: sa.BindParameter[Any] = sa.bindparam("job_type")
_since: sa.BindParameter[Any] = sa.bindparam("since")


def job_stats(
    cur: Cursor, job_type: str, whose: Whose, since: datetime, now: datetime, hourly: bool
) -> dict[str, Any]:
    """Returns what runs that ended since then were like, by hours or by days (UTC), how that of the last day and week
    was, how many are open, and the newest ones that have begun."""
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
    open_tasks, complete = open_counts(cur, whose)
    return {
        "counts": counts,
        "failure_rate": failure_rate(counts),
        **job_rates(cur, job_type, whose, now),
        "open": open_tasks[job_type],
        "complete": complete,
        "duration": {"p50": percentile(durations, 0.5), "p95": percentile(durations, 0.95)},
        "times": [{"at": at, "counts": found} for at, found in sorted(times.items())],
        "errors": _found(_errors(of).execute(cur, **given)),
        "phases": phase_times(cur, job_type, whose, since),
        "runs": last_runs(cur, whose, [job_type], RUNS)[job_type],
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
