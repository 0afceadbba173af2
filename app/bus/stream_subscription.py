"""One stream, heard as a viewer hears it: gaps are refilled and lost ends found by the hub."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.bus.publishing import must_be
from app.bus.source import Source
from app.process import transaction
from app.stream.codec import Data
from app.stream.event import Event
from app.stream.hub import Hub
from app.stream.resync import Resync
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.bus")


class Plain:
    """No format at all: the events themselves."""

    shared, one_frame = True, False

    def frame(self, event: Event) -> list[Event | Resync]:
        return [event]

    def join(self, frames: Sequence[Any]) -> list[Event | Resync]:
        return [event for frame in frames for event in frame]

    def resync(self, resync: Resync) -> list[Event | Resync]:
        return [resync]

    def end(self, stream: str, last: Event | None, cursor: int) -> list[Event | Resync]:
        return []  # what is heard here has no end


PLAIN = Plain()


class StreamSubscription:
    """A viewer from the stream's head on, and its wire. ``tell`` takes every event, in order, and never waits."""

    codec = PLAIN
    unsent = 0

    def __init__(self, at: Source, stream: str, tell: Callable[[Event], None]) -> None:
        """LookupError when it is the stream of nobody; DatabaseUnavailable."""
        self._store, self._tell = at.store, tell
        self._viewer = _watch(at.hub, stream)
        at.hub.attach(self._viewer, self)

    @property
    def progress_at(self) -> float:
        """It never stalls: while Postgres is away it waits, for nobody would open it again."""
        return time.monotonic()

    @progress_at.setter
    def progress_at(self, at: float) -> None: ...

    def close(self) -> None:
        self._viewer.close()

    def finish(self, limit: float) -> None:
        """Waits until it has heard what was said so far, or until that monotonic time. Raises DatabaseUnavailable."""
        stream = self._viewer.room.stream
        last = self._store.heads([stream])[stream].last_seq
        while self._viewer.cursor < last and time.monotonic() < limit:
            time.sleep(0.01)

    def send(self, data: Data) -> int:
        for event in data:
            if isinstance(event, Resync):
                logger.warning("%s was pruned before its handlers heard of it: %s", event.stream, event)
            else:
                self._tell(event)
        return len(data)

    def hold_remainder(self, remainder: Data) -> None:
        raise AssertionError("it takes everything")

    def send_remainder(self) -> bool:
        return True

    def call_when_writable(self, viewer: Viewer) -> None:
        """It has room."""

    def left(self, viewer: Viewer, reason: str) -> None:
        if reason not in ("closed", "draining"):
            logger.error("handlers of %s hear no more of it: %s", viewer.room.stream, reason)


def _watch(hub: Hub, stream: str) -> Viewer:
    with transaction() as tx:
        must_be(tx.cur, stream)
    return hub.watch(stream, None)
