"""What beats say of their entries: when they sent a task last, and when they will again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated
from uuid import uuid5

from msgspec import Meta, Struct
from psycopg2.extensions import cursor as Cursor

from app.tasks.losses import OWN_WORKERS
from app.tasks.observed.fleet import DEFAULT_BEAT, Beat, Name, Whose, store_reports
from app.tasks.observed.part import LONGEST_TYPE, TaskId, name_of

LONGEST_ERROR = 300

Moment = Annotated[datetime, Meta(tz=True)]


class ScheduleEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """``schedule``: when it is due, in words. ``last_task_id``: the task that it sent last; ``last_error``: why it
    could not send it. ``beat_seconds``: how often it is reported."""

    name: Name
    job_type: Name
    schedule: str
    last_run_at: Moment | None = None
    last_task_id: TaskId | None = None
    last_error: str | None = None
    next_run_at: Moment | None = None
    beat_seconds: Beat = DEFAULT_BEAT


_COLUMNS = (
    *("name", "job_type", "schedule", "last_run_at", "last_task_id", "last_error", "next_run_at"),
    "beat_seconds",
)


def report_schedules(
    cur: Cursor, whose: Whose, entries: Iterable[ScheduleEntry], uuid_of: Callable[[str], str]
) -> list[str]:
    """Stores the entries, as ``report_workers`` stores workers. ``uuid_of`` returns the id of a reported task."""
    rows = {}
    for entry in entries:
        name = name_of(entry.name) or "schedule"
        rows[str(uuid5(whose.namespace, name))] = (
            *(name, name_of(entry.job_type, LONGEST_TYPE) or "task", name_of(entry.schedule) or "?"),
            *(entry.last_run_at, uuid_of(entry.last_task_id) if entry.last_task_id else None),
            *(name_of(entry.last_error, LONGEST_ERROR), entry.next_run_at, entry.beat_seconds),
        )
    return store_reports(cur, "schedule_reports", _COLUMNS, whose, rows)


def own_run_ended(cur: Cursor, entries: Iterable[ScheduleEntry], error: str | None) -> None:
    """Stores how a run of these entries of ours ended, also before beat has reported them; ``error`` is None when it
    did its work."""
    for entry in entries:
        cur.execute(
            """INSERT INTO schedule_reports (id, name, job_type, schedule, beat_seconds, ended_at, end_error)
               VALUES (%s, %s, %s, %s, %s, now(), %s)
               ON CONFLICT (id) DO UPDATE SET ended_at = EXCLUDED.ended_at, end_error = EXCLUDED.end_error""",
            (
                *(str(uuid5(OWN_WORKERS, entry.name)), entry.name, entry.job_type, entry.schedule),
                *(entry.beat_seconds, name_of(error, LONGEST_ERROR)),
            ),
        )
