"""What a drained worker takes from the broker: nothing, so that other workers get the messages of its queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Consumption:
    """The queues that Celery's ``consumer`` takes messages from; ``queues`` are those of the worker."""

    def __init__(self, consumer: Any, queues: Sequence[str]) -> None:
        self._consumer, self._queues = consumer, queues

    def follow(self, drained: bool) -> None:
        """Lets the consumer take from all queues or from none, where it does otherwise. Callable from any thread: the
        consumer's loop does it."""
        taken = set(self._consumer.app.amqp.queues.consume_from)
        for queue in self._queues:
            if drained and queue in taken:
                self._consumer.call_soon(self._consumer.cancel_task_queue, queue)
            elif not drained and queue not in taken:
                self._consumer.call_soon(self._consumer.add_task_queue, queue)
