"""Handlers inside a process: what happens to users, told to functions as it is told to viewers.

Two faces over the same streams: by type of event (``get_event_bus``) and by user (``EventService``). What is published
is an event like any other, durable and numbered; it comes to every handler of its type or user, in whatever process
that subscribed, once and in the order of its stream. A handler that is slow falls behind at its cursors, one that fails
is logged, and neither harms anybody.
"""

from __future__ import annotations

import logging
import os
import time

from app.bus import source, subscriber
from app.bus.event_bus import EventBus
from app.bus.event_service import EventService
from app.bus.source import use
from app.stream.store import DatabaseUnavailable

__all__ = ["EventBus", "EventService", "get_event_bus", "use"]

logger = logging.getLogger("taskroom.bus")

FINISH_SECONDS = 5.0

_bus, _service = EventBus(), EventService()


def get_event_bus() -> EventBus:
    """The one of this process."""
    return _bus


def _finish() -> None:
    """A script that ends right after it has published: its own handlers are still told."""
    limit = time.monotonic() + FINISH_SECONDS
    try:
        _bus.finish(limit)
        _service.finish(limit)
    except DatabaseUnavailable as error:
        logger.warning("this process ends, and its handlers may not have been told everything: %s", error)


def _after_fork() -> None:
    """A child has its parent's handlers but not the threads that feed them: they stay the parent's."""
    _bus.begin()
    _service.begin()
    source.forget()
    subscriber.forget()


source.at_exit(_finish)
os.register_at_fork(after_in_child=_after_fork)
