"""How many tasks of a list have which status, at all and by time: ended ones from sums, the open ones one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import composed, time_text
from app.models.streams import Stream
from app.models.sums import ListSum
from app.models.tasks import Task, TaskCount
from app.tasks import list_filter
from app.tasks.list_filter import Given, Listing, filters, where
from app.tasks.listing import window
from app.tasks.sums import Sums

COUNTS = Sums(TaskCount, ("user_id", "tenant", "status"), "number", group=("user_id",))
# The sums have these conditions, of times whole hours.
_SUMMED = frozenset({"user_id", "tenant", "job_type", "since", "until", "top"})


def status_counts(cur: Cursor, wanted: Listing, stream: str) -> tuple[dict[str, int], int, bool]:
    """How many tasks have which status, the last sequence of ``stream`` as of the same moment (one statement sees one
    state of the database), and whether these are all: of tasks that are counted one by one only the newest
    ``SCAN_TASKS`` are."""
    values, most = wanted.values(), list_filter.SCAN_TASKS
    summed = _has_sums(wanted)
    counts = _counts(frozenset(values), summed).execute(cur, **values, stream=stream, scan=most + 1)
    sequence, found, seen = counts.fetchall()[0]
    return found or {}, sequence, seen <= most


def histogram(cur: Cursor, wanted: Listing, unit: str) -> tuple[dict[str, dict[str, int]], bool]:
    """How many tasks of the list were made in each hour or day (UTC) and have which status now, by the time in text;
    and whether these are all, as ``status_counts`` says. The list has only conditions of the sums."""
    values, most = wanted.values(), list_filter.SCAN_TASKS
    assert _has_sums(wanted), "the sums have no such condition"
    times, looked_at = defaultdict[str, dict[str, int]](dict), 0
    for at, status, number, seen in _times(frozenset(values), unit).execute(cur, **values, scan=most + 1):
        times[at][status] = times[at].get(status, 0) + number
        looked_at += seen
    return {at: times[at] for at in sorted(times)}, looked_at <= most


def _has_sums(wanted: Listing) -> bool:
    bounds = (wanted.since, wanted.until)
    return wanted.values().keys() <= _SUMMED and all(at is None or at == _hour(at) for at in bounds)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _number(column: Any) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(column), sa.BigInteger).label("number")


@composed
def _counts(given: Given, summed: bool) -> sa.Select[Any]:
    counting: Any
    none = sa.literal(0).label("seen")
    if given <= {"user_id", "tenant"}:  # all that somebody has is counted as it changes
        whole = sa.select(TaskCount.status, _number(TaskCount.number), none).where(where(given, TaskCount))
        counting = whole.group_by(TaskCount.status)
    elif summed:
        ended = sa.select(ListSum.status, _number(ListSum.number), none).where(*_of_sums(given))
        counting = sa.union_all(ended.group_by(ListSum.status), _looked_at(_open(given), frozenset()))
    else:
        columns = (column for column in Task.__table__.c if column.name in _LOOKED_AT)
        counting = _looked_at(window(given, *columns), filters(given))
    counted = counting.subquery("counted").c
    by_status = sa.select(counted.status, _number(counted.number), _number(counted.seen).label("seen"))
    by_status = by_status.group_by(counted.status)
    found = by_status.subquery("found").c
    sequence = sa.select(Stream.last_seq).where(Stream.name == sa.bindparam("stream")).scalar_subquery()
    return sa.select(
        sa.func.coalesce(sequence, 0),
        sa.func.json_object_agg(found.status, found.number).filter(found.number > 0),
        sa.func.coalesce(sa.func.sum(found.seen), 0),
    )


# What conditions without an index are about.
_LOOKED_AT = frozenset(
    {"id", "stream_id", "tenant", "status", "title", "job_type", "trigger", "parent_id", "started_at"}
    | {"finished_at"}
)


def _looked_at(tasks: sa.Select[*tuple[Any, ...]], names: Given) -> sa.Select[Any]:
    task = tasks.limit(sa.bindparam("scan")).subquery("tasks").c
    number = sa.func.count().filter(where(names, task)).label("number")
    return sa.select(task.status, number, sa.func.count().label("seen")).group_by(task.status)


def _of_sums(given: Given) -> list[sa.ColumnElement[bool]]:
    own = where(given & {"user_id", "tenant", "job_type"}, ListSum)
    bounds = {
        "since": ListSum.hour >= sa.bindparam("since"),
        "until": ListSum.hour < sa.bindparam("until"),
        "top": ~ListSum.is_step,
    }
    return [own, *(condition for name, condition in bounds.items() if name in given)]


def _open(given: Given) -> sa.Select[str, datetime]:
    """Tasks that have not ended, of which there are few beside those that have."""
    tasks = sa.select(Task.status, Task.created_at).where(where(given, Task), Task.finished_at.is_(None))
    return tasks.order_by(Task.created_at.desc()) if given & {"user_id", "tenant"} else tasks


@composed
def _times(given: Given, unit: str) -> sa.CompoundSelect[Any]:
    """By hours first: a time is made text once for each hour, not for each row."""
    by_hour = sa.select(ListSum.hour, ListSum.status, _number(ListSum.number)).where(*_of_sums(given))
    hours = by_hour.group_by(ListSum.hour, ListSum.status).subquery("hours").c
    task = _open(given).limit(sa.bindparam("scan")).subquery("tasks").c
    at = sa.func.date_trunc(unit, hours.hour, "UTC")
    at_open = sa.func.date_trunc(unit, task.created_at, "UTC")
    ended = sa.select(time_text(at), hours.status, _number(hours.number), sa.literal(0))
    still = sa.select(time_text(at_open), task.status, sa.func.count(), sa.func.count())
    return sa.union_all(
        ended.group_by(at, hours.status).having(sa.func.sum(hours.number) > 0),
        still.group_by(at_open, task.status),
    )
