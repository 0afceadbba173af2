"""The Celery tasks of beat: what has expired is deleted, so that no table grows without end, and reminders are sent.
Older schedules call them by the same names."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from app.auth import trail_list
from app.db.persistent import PersistentConnection
from app.errors.survived import survived
from app.inbox import store as inbox
from app.notifications import reminders
from app.stream.store import DatabaseUnavailable
from app.tasks import budget, job_sums, run_sums
from app.tasks.cleanup import delete_expired
from app.tasks.forsaken import expire_tasks
from app.tasks.list_counts import COUNTS
from app.tasks.outputs import delete_orphans
from app.tasks.removal import remove_tasks
from app.tasks.retention import Retention, prune
from workers.celery_app import celery
from workers.runtime import runtime
from workers.schedules import scheduled_run
from workers.settings import settings

logger = logging.getLogger("taskroom.housekeeping")


@celery.task(name="taskroom.housekeeping")
def housekeeping() -> None:
    with _unless_survived("taskroom.housekeeping", "what has expired stays until the next run"):
        delete_expired(runtime().connect)
        run_sums.forget(runtime().connect)


@celery.task(name="taskroom.sums")
def sums() -> None:
    """Sums up the rows that triggers have added for each task."""
    with _unless_survived("taskroom.sums", "the sums stay as they are until the next run"):
        COUNTS.sum_up(runtime().connect)
        budget.sum_up(runtime().connect)
        run_sums.sum_up(runtime().connect)
        job_sums.sum_up(runtime().connect)


@celery.task(name="taskroom.retention")
def retention() -> None:
    connect = PersistentConnection(settings().database_url)  # of its own: its lock ends with its session
    try:
        with _unless_survived("taskroom.retention", "the retention stops, its next run goes on"):
            prune(connect, Retention(settings().retention_days, settings().retention_events))
            if settings().retention_days:
                inbox.prune(connect, settings().retention_days)
            if settings().waiting_days:
                expire_tasks(connect, runtime().transaction, settings().waiting_days)
            if settings().task_retention_days:
                remove_tasks(connect, settings().task_retention_days)
            if settings().trail_days:
                trail_list.forget(connect, settings().trail_days)
            if storage := runtime().storage:
                delete_orphans(connect, storage)
    finally:
        connect.close()


@contextmanager
def _unless_survived(name: str, what: str) -> Iterator[None]:
    """Logs what the run of an entry raises, and stores how it ends."""
    try:
        with scheduled_run(celery.conf.beat_schedule, name):
            yield
    except Exception as error:
        survived(logger, error, what)


# A day's reminders may wait for Postgres: half an hour in all, in steps of up to ten minutes.
_retries: dict[str, Any] = {"autoretry_for": (DatabaseUnavailable,), "retry_backoff": 15, "max_retries": 7}


@celery.task(name="taskroom.send_approval_reminder", **_retries)
def send_approval_reminder() -> int:
    with scheduled_run(celery.conf.beat_schedule, "taskroom.send_approval_reminder"):
        return reminders.remind_of_approvals(runtime().transaction, datetime.now(UTC))


@celery.task(name="taskroom.send_trial_expiry_warning", **_retries)
def send_trial_expiry_warning() -> int:
    with scheduled_run(celery.conf.beat_schedule, "taskroom.send_trial_expiry_warning"):
        return reminders.warn_of_trials(runtime().transaction, datetime.now(UTC))
