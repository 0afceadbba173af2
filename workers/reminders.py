"""The Celery tasks of beat that send reminders every day. Older schedules call them by the same names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.notifications import reminders
from app.stream.store import DatabaseUnavailable
from workers.celery_app import celery
from workers.runtime import runtime

# A day's reminders may wait for Postgres: half an hour in all, in steps of up to ten minutes.
_retries: dict[str, Any] = {"autoretry_for": (DatabaseUnavailable,), "retry_backoff": 15, "max_retries": 7}


@celery.task(name="taskroom.send_approval_reminder", **_retries)
def send_approval_reminder() -> int:
    return reminders.remind_of_approvals(runtime().transaction, datetime.now(UTC))


@celery.task(name="taskroom.send_trial_expiry_warning", **_retries)
def send_trial_expiry_warning() -> int:
    return reminders.warn_of_trials(runtime().transaction, datetime.now(UTC))
