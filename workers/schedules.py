"""What our own beat says of its entries, in Postgres as that of others does; and how their runs end."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from celery.signals import beat_init

from app.db.persistent import PersistentConnection
from app.errors.survived import survived
from app.periodic import Periodic
from app.tasks.observed.own import OWN
from app.tasks.observed.schedules import ScheduleEntry, own_run_ended, report_schedules
from taskroom.celery.schedules import BEAT_SECONDS, Followed, words
from taskroom.texts import reason
from workers.runtime import runtime
from workers.settings import settings

logger = logging.getLogger("taskroom.schedules")
OURS = "taskroom."


class ScheduleReports:
    """The rows of the entries of a scheduler. Beat works without them when Postgres is away."""

    def __init__(self, scheduler: Any) -> None:
        self._followed = Followed(scheduler, lambda task: task.startswith(OURS))
        self._connect = PersistentConnection(settings().database_url)
        self.thread = Periodic("schedules", BEAT_SECONDS, self.write, at_once=True)

    def write(self) -> None:
        rows = [{**row, "beat_seconds": BEAT_SECONDS, "last_task_id": None} for row in self._followed.rows]
        entries = msgspec.convert(rows, list[ScheduleEntry])
        if entries:
            with self._connect() as conn, conn.cursor() as cur:
                report_schedules(cur, OWN, entries, str)


@beat_init.connect
def _report(sender: Any = None, **_: Any) -> None:
    ScheduleReports(sender.scheduler).thread.start()


@contextmanager
def scheduled_run(beat_schedule: Mapping[str, Any], job_type: str) -> Iterator[None]:
    """Stores how the run of an entry ends; what it raises goes on."""
    entries = [
        ScheduleEntry(
            name=name, job_type=job_type, schedule=words(entry["schedule"]), beat_seconds=BEAT_SECONDS
        )
        for name, entry in beat_schedule.items()
        if entry["task"] == job_type
    ]
    try:
        yield
    except Exception as error:
        _ended(entries, job_type, reason(error))
        raise
    _ended(entries, job_type, None)


def _ended(entries: list[ScheduleEntry], job_type: str, error: str | None) -> None:
    try:
        with runtime().connect() as conn, conn.cursor() as cur:
            own_run_ended(cur, entries, error)
    except Exception as problem:
        survived(logger, problem, "how %s ended is not stored", job_type)
