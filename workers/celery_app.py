"""Celery as workers and beat run it. Messages are hints, so nothing of Celery's own state is kept."""

from __future__ import annotations

import logging
from typing import Any

from celery.schedules import crontab
from celery.signals import after_setup_logger, after_setup_task_logger

from app.broker.client import Broker
from app.config import QUICK_QUEUE
from app.observability.log_format import formatter
from workers.settings import settings

HALF_A_DAY = 12 * 3600


def _scheduled(name: str, schedule: crontab, expires: int) -> dict[str, Any]:
    options = {"queue": QUICK_QUEUE, "expires": expires}
    return {"task": f"taskroom.{name}", "schedule": schedule, "options": options}


broker = Broker(settings().redis_url, settings().celery_queues)
celery = broker.celery
celery.conf.update(
    include=["workers.execute", "workers.scheduled", "workers.webhooks"],
    # Acknowledged at once and claimed in Postgres: a message that comes twice is harmless, and
    # one that is lost is sent again. A late acknowledgement would run long tasks twice.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_redirect_stdouts=False,  # workers.output does it, by lines
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    beat_schedule={
        "housekeeping": _scheduled("housekeeping", crontab(minute=17), 3600),
        "sums": _scheduled("sums", crontab(), 60),
        "retention": _scheduled("retention", crontab(minute="*/10"), 600),
        "approval-reminder-daily": _scheduled(
            "send_approval_reminder", crontab(hour=9, minute=0), HALF_A_DAY
        ),
        "trial-expiry-check": _scheduled("send_trial_expiry_warning", crontab(hour=10, minute=0), HALF_A_DAY),
    },
)


@after_setup_logger.connect
@after_setup_task_logger.connect
def _format(logger: logging.Logger, **_: Any) -> None:
    """Gives Celery's own handlers the format, and the hiding of secrets, of all other processes."""
    for handler in logger.handlers:
        handler.setFormatter(formatter(settings().log_json))
