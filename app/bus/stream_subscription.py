"""A subscription to one stream, as a viewer: the hub fills gaps and finds lost last events."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.bus.publishing import require_owner
from app.bus.source import Source
from app.stream.codec import Data
from app.stream.event import Event
from app.stream.resync import Resync
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.bus")


class PlainCodec:
    """A codec that encodes nothing: a frame is a list of events."""

    shared, one_frame = True, False

    def frame(self, event: Event) -> list[Event | Resync]:
        return [event]

    def join(self, frames: Sequence[Any]) -> list[Event | Resync]:
        return [event for frame in frames for event in frame]

    def resync(self, resync: Resync) -> list[Event | Resync]:
        return [resync]

    def end(self, stream: str, last: Event | None, cursor: int) -> list[Event | Resync]:
        return []  # streams of users and broadcast never end


class StreamSubscription:
    """A viewer that begins at the stream's head, and its wire. ``receive`` gets each event in order and must not
    block."""

    codec = PlainCodec()
    unsent = 0

    def __init__(self, at: Source, stream: str, receive: Callable[[Event], None]) -> None:
        """Raises LookupError when the stream's user does not exist; DatabaseUnavailable."""
        self._store, self._receive = at.store, receive
        with at.store.connect() as conn, conn.cursor() as cur:
            require_owner(cur, stream)
        self._viewer = at.hub.watch(stream, None)
        at.hub.attach(self._viewer, self)

    @property
    def progress_at(self) -> float:
        """Always now: a stalled viewer is closed, and nothing would open this one again after an outage of Postgres."""
        return time.monotonic()

    @progress_at.setter
    def progress_at(self, at: float) -> None: ...

    @property
    def ended(self) -> bool:
        """Whether the viewer was closed. A fault closes it too; a new subscription begins at the stream's head then."""
        return self._viewer.closed is not None

    def close(self) -> None:
        self._viewer.close()

    def finish(self, limit: float) -> None:
        """Waits until all events so far are received, or until the monotonic time. Raises DatabaseUnavailable."""
        stream = self._viewer.room.stream
        last = self._store.heads([stream])[stream].last_seq
        while self._viewer.cursor < last and time.monotonic() < limit:
            time.sleep(0.01)

    def send(self, data: Data) -> int:
        for event in data:
            if isinstance(event, Resync):
                logger.warning("%s was pruned before its handlers received it: %s", event.stream, event)
            else:
                self._receive(event)
        return len(data)

    def hold_remainder(self, remainder: Data) -> None:
        raise AssertionError("send takes all data")

    def send_remainder(self) -> bool:
        return True

    def call_when_writable(self, viewer: Viewer) -> None:
        """Does nothing: this wire is always writable."""

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        if reason not in ("closed", "draining"):
            stream = viewer.room.stream
            logger.error(
                "handlers of %s receive no more events until they subscribe again: %s", stream, reason
            )
