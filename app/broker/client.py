"""The Celery client of web processes and workers: it sends messages, which are hints, and counts those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu.entity import Queue

from app.broker import MAX_QUEUED, SEND_SECONDS
from app.broker.connections import Connections
from app.config import CELERY_QUEUES, QUEUE, QUICK_QUEUE

RUN = "taskroom.run"  # the Celery tasks that messages name
DELIVER = "taskroom.deliver_webhooks"
DELIVER_SECONDS = 10  # a hint that is older is of no use: there is a newer one
DELIVER_QUEUED = MAX_QUEUED // 2  # where nobody takes them, hints of deliveries leave tasks as much room


def broker_url(redis_url: str) -> str:
    """The address as kombu writes it, which has a scheme of its own for a Unix socket."""
    return redis_url.replace("unix://", "redis+socket://", 1)


class Broker:
    """``celery`` has what sending and receiving must agree on: the address, the queues and their time limits."""

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
        self.connections = Connections(self._connect)

    def send(self, message_id: str, queue: str, args: tuple[str, int], countdown: float) -> None:
        """Hands a dispatch to the broker. Raises BrokerDown."""
        self._send(RUN, args=args, task_id=message_id, queue=queue, countdown=countdown or None)

    def length(self, queue: str) -> int:
        """How many messages of the queue nobody has taken yet. Raises BrokerDown."""
        return int(self.connections.lend(lambda lent: lent.default_channel.client.llen(queue)))

    def hint_deliveries(self) -> None:
        """Sends word that deliveries are due, unless so much of it waits already. Raises BrokerDown."""
        if self.length(QUICK_QUEUE) < DELIVER_QUEUED:
            self._send(DELIVER, queue=QUICK_QUEUE, expires=DELIVER_SECONDS)

    def _send(self, name: str, **how: Any) -> None:
        self.connections.lend(lambda lent: self.celery.send_task(name, connection=lent, retry=False, **how))

    def _connect(self) -> Any:
        limits = {"socket_timeout": SEND_SECONDS, "socket_connect_timeout": SEND_SECONDS}
        return self.celery.connection_for_write(connect_timeout=SEND_SECONDS, transport_options=limits)
