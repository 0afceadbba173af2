"""What beat sends, when it did last, and when it will next: beat itself says it.

The entries are read in beat's own loop, for what a scheduler keeps in a database or a file is not for two threads.
Another thread reports what was read, so that a server that is away delays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import islice
from time import monotonic
from typing import Any

from celery import schedules, signals

from taskroom.celery.heartbeat import Repeated
from taskroom.celery.receivers import connect
from taskroom.celery.reporter import TYPE_LIMIT, Reporter
from taskroom.celery.tree import reported_id
from taskroom.texts import cut, reason

BEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0  # at least between two readings of a scheduler that ticks more often
MOST = 200
WORDS_LIMIT, ERROR_LIMIT = 255, 300
UNITS = ((86_400, "day"), (3_600, "h"), (60, "min"))
Row = dict[str, Any]


class Followed:
    """The entries of a scheduler, as they were before it slept last; of tasks that ``wants``, ``MOST`` at most."""

    def __init__(self, scheduler: Any, wants: Callable[[str], bool]) -> None:
        self.rows: list[Row] = []
        self._scheduler, self._wants = scheduler, wants
        self._sent: dict[str, Row] = {}
        self._looked_at = float("-inf")
        self._tick, self._apply = scheduler.tick, scheduler.apply_async
        scheduler.tick, scheduler.apply_async = self._ticked, self._applied

    def _ticked(self, *args: Any, **kwargs: Any) -> Any:
        """One turn of beat's loop. What is wrong with an entry, or with its schedule, is the project's."""
        pause = self._tick(*args, **kwargs)
        if pause and (pause >= LOOK_SECONDS or monotonic() - self._looked_at >= LOOK_SECONDS):
            self._looked_at = monotonic()
            try:
                named = islice(dict(self._scheduler.schedule).items(), MOST)
                found = [self._row(str(name), entry) for name, entry in named if self._wants(entry.task)]
            except Exception:  # the next turn may read them
                found = self.rows
            self.rows = found
        return pause

    def _applied(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        sent: Row = {"last_run_at": _utc(datetime.now(timezone.utc))}
        try:
            result = self._apply(entry, *args, **kwargs)
        except Exception as error:
            self._sent[str(entry.name)] = sent | {"last_error": cut(reason(error), ERROR_LIMIT)}
            raise
        task_id = getattr(result, "id", None)
        self._sent[str(entry.name)] = sent | ({"last_task_id": reported_id(task_id)} if task_id else {})
        return result

    def _row(self, name: str, entry: Any) -> Row:
        row: Row = {"name": name, "job_type": str(entry.task)[:TYPE_LIMIT], "schedule": words(entry.schedule)}
        if entry.total_run_count and entry.last_run_at:
            row["last_run_at"] = _utc(entry.last_run_at)
        row.update(self._sent.get(name, {}))
        try:
            remaining: timedelta = entry.schedule.remaining_estimate(entry.last_run_at)
            row["next_run_at"] = _utc(datetime.now(timezone.utc) + max(remaining, timedelta()))
        except Exception:  # a schedule of the project's own may not tell
            row.pop("next_run_at", None)
        return row


class Schedules:
    """Reports the entries of beat, where the application runs as beat."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._followed: Followed | None = None

    def connect(self) -> None:
        connect(signals.beat_init, self._begin)

    def _begin(self, sender: Any = None, **_: Any) -> None:
        if sender.app is not self._reporter.app:
            return
        self._followed = Followed(sender.scheduler, self._reporter.options.wants)
        Repeated("taskroom-schedules", BEAT_SECONDS, self._report).start()

    def _report(self) -> None:
        for row in self._followed.rows if self._followed else ():
            self._reporter.client.schedule({**row, "beat_seconds": BEAT_SECONDS})


def words(schedule: Any) -> str:
    """When a schedule is due: "every 5 min", or the five fields of cron."""
    if isinstance(schedule, schedules.crontab):
        fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        parts = " ".join(str(getattr(schedule, f"_orig_{name}", "?")).replace(" ", "") for name in fields)
        zone = str(getattr(schedule, "tz", None) or "UTC")
        return cut(parts if zone == "UTC" else f"{parts} ({zone})", WORDS_LIMIT)
    if isinstance(schedule, schedules.solar):
        return cut(f"{schedule.event} at {schedule.lat}, {schedule.lon}", WORDS_LIMIT)
    every = getattr(schedule, "run_every", None)
    if not isinstance(every, timedelta):
        return cut(str(schedule), WORDS_LIMIT)
    seconds = every.total_seconds()
    for length, unit in UNITS:
        if seconds >= length and seconds % length == 0:
            number = int(seconds // length)
            return f"every {number} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"every {seconds:g} s"


def _utc(moment: datetime) -> str:
    """The time as the server takes it. One without a zone is taken for UTC."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return known.astimezone(timezone.utc).isoformat()
