"""The Celery client of web processes and workers: sends messages, which are hints, and counts waiting ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu.entity import Queue

from app.broker import MAX_QUEUED, SEND_SECONDS
from app.broker.connections import BrokerConnections
from app.config import CELERY_QUEUES, QUEUE, QUICK_QUEUE

RUN = "taskroom.run"  # Celery task names
DELIVER = "taskroom.deliver_webhooks"
DELIVER_SECONDS = 10  # an older hint is useless: a newer one exists
DELIVER_QUEUED = MAX_QUEUED // 2  # hints of deliveries leave half of the queue to tasks


def broker_url(redis_url: str) -> str:
    """Returns the URL for kombu, which has its own scheme for Unix sockets."""
    return redis_url.replace("unix://", "redis+socket://", 1)


class Broker:
    """``celery`` has the settings that senders and receivers share: the URL, the queues and their time limits."""

    def __init__(self, redis_url: str, queues: Sequence[str] = CELERY_QUEUES) -> None:
        self.celery = Celery("taskroom", broker=broker_url(redis_url))
        self.celery.conf.update(
            timezone="UTC",
            enable_utc=True,
            task_ignore_result=True,
            task_queues=[Queue(name, routing_key=name) for name in queues],  # type: ignore[no-untyped-call]
            task_default_queue=QUEUE,
            broker_transport_options={
                "socket_timeout": 30.0,
                "socket_connect_timeout": SEND_SECONDS,
                "socket_keepalive": True,
                "health_check_interval": 10,
            },
        )
        self.connections = BrokerConnections(self._connect)

    def send(self, message_id: str, queue: str, args: tuple[str, int], countdown: float) -> None:
        """Sends a hint to run a task. Raises BrokerDown."""
        self._send(RUN, args=args, task_id=message_id, queue=queue, countdown=countdown or None)

    def length(self, queue: str) -> int:
        """Returns the number of messages that wait in the queue. Raises BrokerDown."""
        return int(self.connections.lend(lambda lent: lent.default_channel.client.llen(queue)))

    def run_id(self) -> str:
        """Returns the id of this run of Redis, which changes with every restart. Raises BrokerDown."""
        return str(self.connections.lend(lambda lent: lent.default_channel.client.info("server")["run_id"]))

    def hint_deliveries(self) -> None:
        """Sends a hint that deliveries are due, unless DELIVER_QUEUED messages wait already. Raises BrokerDown."""
        if self.length(QUICK_QUEUE) < DELIVER_QUEUED:
            self._send(DELIVER, queue=QUICK_QUEUE, expires=DELIVER_SECONDS)

    def _send(self, name: str, **options: Any) -> None:
        self.connections.lend(
            lambda lent: self.celery.send_task(name, connection=lent, retry=False, **options)
        )

    def _connect(self) -> Any:
        limits = {"socket_timeout": SEND_SECONDS, "socket_connect_timeout": SEND_SECONDS}
        return self.celery.connection_for_write(connect_timeout=SEND_SECONDS, transport_options=limits)
