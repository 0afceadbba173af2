"""The Celery tasks of beat that delete what has expired, so that no table grows without end."""

from __future__ import annotations

import logging

from app.db.pool import Single
from app.inbox import store as inbox
from app.stream.store import DatabaseUnavailable
from app.tasks import budget
from app.tasks.cleanup import delete_expired
from app.tasks.counting import sum_up
from app.tasks.forsaken import expire_tasks
from app.tasks.removal import remove_tasks
from app.tasks.retention import Retention, prune
from workers.celery_app import celery
from workers.jobs import _outputs
from workers.runtime import runtime
from workers.settings import settings

logger = logging.getLogger("taskroom.housekeeping")


@celery.task(name="taskroom.housekeeping")
def housekeeping() -> None:
    delete_expired(runtime().connect)


@celery.task(name="taskroom.sums")
def sums() -> None:
    """Adds up what triggers have added for each task, which others sum up when they read it."""
    sum_up(runtime().connect)
    budget.sum_up(runtime().connect)


@celery.task(name="taskroom.retention")
def retention() -> None:
    connect = Single(settings().database_url)  # of its own: its lock ends with its session
    try:
        prune(connect, Retention(settings().retention_days, settings().retention_events))
        if settings().retention_days:
            inbox.prune(connect, settings().retention_days)
        if settings().waiting_days:
            expire_tasks(connect, runtime().transaction, settings().waiting_days)
        if settings().task_retention_days:
            remove_tasks(connect, settings().task_retention_days)
        _outputs.sweep(_outputs.folder(), settings().task_retention_days, settings().output_bytes)
    except DatabaseUnavailable as error:
        logger.warning("the retention stops, its next run goes on: %s", error)
    finally:
        connect.close()
