"""One subscription to the streams of all users, for handlers by event type."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from app.bus.receivers import Receivers
from app.bus.source import Source
from app.periodic import Periodic
from app.stream.event import Event

logger = logging.getLogger("taskroom.bus")

PAGE_STREAMS = 2_000  # of one page; more would stall the event loop of a web process
CHECK_SECONDS = 5.0  # a lost last event leaves no gap in the sequence
OUTAGE_CHECK_SECONDS = 1.0  # the same, while Redis is unavailable
PAUSE_FACTOR = 20  # pause this many times as long as the last check took: there may be 100,000 users

# The condition is that of a partial index: among a million streams of tasks this must be fast.
_HEADS = "SELECT id, name, last_seq FROM streams WHERE name LIKE 'user:%%' AND id > %s ORDER BY id LIMIT %s"


class AllUsersSubscription:
    """Keeps the last sequence of each user's stream: a name and a number each, without a room or a viewer.

    A message from Redis holds its events. When they do not follow the last sequence, or a check of Postgres finds a
    later one, handlers get the range that they must read.
    """

    def __init__(self, at: Source, receivers: Receivers, missed: Callable[[str, int, int], None]) -> None:
        self._hub, self._store = at.hub, at.store
        self._receivers, self._missed = receivers, missed
        self._known: dict[str, int] = {}
        self._lock = threading.Lock()
        self._took = 0.0  # seconds, the last check
        self._thread = Periodic("all-users", self._pause, self.check, at_once=True)

    def start(self) -> None:
        """Subscribes: events from now on are received. Raises DatabaseUnavailable."""
        for page in self._pages():
            self._known.update(page)
        self._hub.subscription.subscribe_kind("user", self)
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()
        self._hub.subscription.unsubscribe_kind("user")

    def kind_confirmed(self) -> None:
        self._thread.wake()

    def kind_received(self, stream: str, events: Sequence[Event]) -> None:
        with self._lock:
            # A stream that did not exist at the start has no events that handlers have received.
            known, last = self._known.get(stream, 0), events[-1].sequence
            if self._thread.stopped or last <= known:
                return
            self._known[stream] = last
            if events[0].sequence == known + 1:
                for event in events:
                    self._receivers.send(event.type, event)
            else:
                self._missed(stream, known, last)

    def _pause(self) -> float:
        return max(
            PAUSE_FACTOR * self._took,
            CHECK_SECONDS if self._hub.subscription.receiving else OUTAGE_CHECK_SECONDS,
        )

    def check(self) -> None:
        """Compares the known sequences with Postgres. Raises DatabaseUnavailable."""
        began = time.monotonic()
        before = dict(self._known)  # committed before the check, so the check must find them
        for page in self._pages():
            with self._lock:
                for stream, last in page:
                    known = self._known.get(stream, 0)
                    # After a fail-over or a restore, sequences are used again.
                    if last < before.get(stream, 0):
                        logger.warning("%s went back from %d to %d in Postgres", stream, known, last)
                        self._known[stream] = last
                    elif last > known and not self._thread.stopped:
                        self._known[stream] = last
                        self._missed(stream, known, last)
        self._took = time.monotonic() - began

    def _pages(self) -> Iterator[list[tuple[str, int]]]:
        """Yields the last sequence of each user's stream in Postgres."""
        after, full = 0, True
        while full:
            with self._store.connect() as conn, conn.cursor() as cur:
                cur.execute(_HEADS, (after, PAGE_STREAMS))
                rows = cur.fetchall()
            yield [(name, last) for _, name, last in rows]
            full = len(rows) == PAGE_STREAMS
            after = rows[-1][0] if rows else after
