"""Event handlers inside a process: functions that receive the events of users, as viewers do.

Handlers subscribe by event type (``get_event_bus``) or by user (``EventService``). A published event is durable and
numbered like every event. Each handler of its type or user, in any process, receives it once and in the order of its
stream. A slow handler falls behind; the failure of a handler is logged. Neither affects other handlers.
"""

from __future__ import annotations

import logging
import os
import time

from app.bus import source, subscriber
from app.bus.event_bus import EventBus
from app.bus.event_service import EventService
from app.bus.source import use
from app.errors.survived import survived

__all__ = ["EventBus", "EventService", "get_event_bus", "use"]

logger = logging.getLogger("taskroom.bus")

FINISH_SECONDS = 5.0

_bus, _service = EventBus(), EventService()


def get_event_bus() -> EventBus:
    """Returns the event bus of this process."""
    return _bus


def _finish() -> None:
    """Lets the handlers receive all events before the process ends, such as a script that publishes and ends."""
    limit = time.monotonic() + FINISH_SECONDS
    try:
        _bus.finish(limit)
        _service.finish(limit)
    except Exception as error:
        survived(logger, error, "this process ends before its handlers have received all events")


def _after_fork() -> None:
    """Removes all handlers in a forked child: their threads run only in the parent."""
    _bus.reset()
    _service.reset()
    source.reset()
    subscriber.reset()


source.at_exit(_finish)
os.register_at_fork(after_in_child=_after_fork)
