"""``logging`` inside a task becomes ``log`` events by itself (``taskroom.capture``), but for that of the worker."""

from __future__ import annotations

from taskroom import capture

# The libraries that store and publish events: an event of each of their lines would make another one.
_OWN = ("celery.worker", "celery.app", "celery.pool", "kombu", "amqp", "redis", "multiprocessing")


def install() -> None:
    """Captures what tasks of this process log from now on."""
    capture.install(_OWN)
