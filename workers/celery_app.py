"""Celery from the same configuration. Messages are hints, so nothing of Celery's own state is kept."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from celery import Celery
from celery.schedules import crontab
from celery.signals import after_setup_logger, after_setup_task_logger
from kombu.entity import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.errors import causes
from app.observability.log_format import formatter
from app.tasks.dispatch import QUEUED_MOST, SEND_SECONDS, BrokerDown
from workers.registry import QUEUE, QUICK_QUEUE
from workers.settings import settings

HALF_A_DAY = 12 * 3600
DELIVER = "taskroom.deliver_webhooks"
IDLE_CONNECTIONS = 4  # that a process keeps to send over; more are opened when as many send at once
DELIVER_SECONDS = 10  # a hint that is older is of no use: there is a newer one
DELIVER_QUEUED = QUEUED_MOST // 2  # where nobody takes them, hints of deliveries leave tasks as much room

Answer = TypeVar("Answer")


def broker_url(redis_url: str) -> str:
    """kombu's own word for a Unix socket."""
    return redis_url.replace("unix://", "redis+socket://", 1)


def make_celery() -> Celery:
    app = Celery(
        "taskroom",
        broker=broker_url(settings().redis_url),
        include=["workers.execute", "workers.housekeeping", "workers.reminders", "workers.webhooks"],
    )
    app.conf.update(
        timezone="UTC",
        enable_utc=True,
        task_ignore_result=True,
        task_queues=[Queue(name, routing_key=name) for name in settings().celery_queues],  # type: ignore[no-untyped-call]
        task_default_queue=QUEUE,
        # Acknowledged at once and claimed in Postgres: a message that comes twice is harmless, and
        # one that is lost is sent again. A late acknowledgement would run long tasks twice.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_redirect_stdouts=False,  # workers.output does it, by lines
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": 30.0,
            "socket_connect_timeout": SEND_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        beat_schedule={
            "housekeeping": {
                "task": "taskroom.housekeeping",
                "schedule": crontab(minute=17),
                "options": {"queue": QUICK_QUEUE, "expires": 3600},
            },
            "retention": {
                "task": "taskroom.retention",
                "schedule": crontab(minute="*/10"),
                "options": {"queue": QUICK_QUEUE, "expires": 600},
            },
            "approval-reminder-daily": {
                "task": "taskroom.send_approval_reminder",
                "schedule": crontab(hour=9, minute=0),
                "options": {"queue": QUICK_QUEUE, "expires": HALF_A_DAY},
            },
            "trial-expiry-check": {
                "task": "taskroom.send_trial_expiry_warning",
                "schedule": crontab(hour=10, minute=0),
                "options": {"queue": QUICK_QUEUE, "expires": HALF_A_DAY},
            },
        },
    )
    return app


celery = make_celery()


@after_setup_logger.connect
@after_setup_task_logger.connect
def _format(logger: logging.Logger, **_: Any) -> None:
    """Celery's own handlers, with the format and the net of all other processes."""
    for handler in logger.handlers:
        handler.setFormatter(formatter(settings().log_json))


def send(message_id: str, queue: str, args: tuple[str, int], countdown: float) -> None:
    """Hands a dispatch to the broker. Raises BrokerDown."""
    _send("taskroom.run", args=args, task_id=message_id, queue=queue, countdown=countdown or None)


def length(queue: str) -> int:
    """How many messages of the queue nobody has taken yet. Raises BrokerDown."""
    return int(_lent(lambda connection: connection.default_channel.client.llen(queue)))


def hint_deliveries() -> None:
    """Says that deliveries are due, unless nobody listens. Raises BrokerDown."""
    if length(QUICK_QUEUE) < DELIVER_QUEUED:
        _send(DELIVER, queue=QUICK_QUEUE, expires=DELIVER_SECONDS)


class Connections:
    """Open connections to the broker, each lent for one message at a time. One that failed is not used again."""

    def __init__(self) -> None:
        self._idle: deque[Any] = deque()
        os.register_at_fork(after_in_child=self._idle.clear)  # they are the parent's
        self.opened = 0

    def take(self) -> tuple[Any, bool]:
        """A connection, and whether it was used before."""
        with suppress(IndexError):
            return self._idle.pop(), True
        self.opened += 1
        limits = {"socket_timeout": SEND_SECONDS, "socket_connect_timeout": SEND_SECONDS}
        return celery.connection_for_write(connect_timeout=SEND_SECONDS, transport_options=limits), False

    def give_back(self, connection: Any) -> None:
        if len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()


BROKER_ERRORS = (OperationalError, RedisError, OSError)

connections = Connections()


def _send(name: str, **how: Any) -> None:
    _lent(lambda connection: celery.send_task(name, connection=connection, retry=False, **how))


def _lent(use: Callable[[Any], Answer]) -> Answer:
    """What the broker answers, over one of the open connections. Raises BrokerDown."""
    begun = time.monotonic()
    while True:
        connection, used = connections.take()
        try:
            answer = use(connection)
        except Exception as error:
            _discard(connection)
            if not (isinstance(error, BROKER_ERRORS) or causes.of(error).is_temporary):
                raise
            # The broker may have been started anew since it was last used. A broker that hangs is not asked twice.
            if used and time.monotonic() - begun < SEND_SECONDS / 2:
                continue
            raise BrokerDown(causes.first_line(error)) from error
        except BaseException:  # whoever asked waits no longer, and the answer may still come
            _discard(connection)
            raise
        connections.give_back(connection)
        return answer


def _discard(connection: Any) -> None:
    with suppress(*BROKER_ERRORS):
        connection.close()
