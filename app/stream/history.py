"""What lies behind a room's ring, read from Postgres once for all who ask for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from app.stream.event import Event, memory
from app.stream.store import Store, StoreAway

logger = logging.getLogger("taskroom.history")

PAGE_EVENTS = 500
KEPT_BYTES = 16_000_000  # of all streams together
KEPT_SECONDS = 30.0
READERS = 8  # pages in flight; more would take the pool from everybody else

Waiting = Callable[[Exception | None, bool], None]


class History:
    """Pages that begin at fixed sequences, so that viewers at different cursors share them.

    Kept for seconds: long enough for the crowd that comes back at once, too short to become a cache to trust.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: OrderedDict[tuple[str, int], tuple[float, list[Event]]] = OrderedDict()
        self._bytes = 0
        self._waiting: dict[tuple[str, int], list[tuple[int | None, Waiting]]] = {}
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)

    def after(self, stream: str, cursor: int, pruned_to: int) -> list[Event]:
        """The kept events that follow the cursor without a gap; [] when they must be read."""
        with self._lock:
            found = self._pages.get(_page(stream, cursor, pruned_to))
        if found is None or time.monotonic() - found[0] > KEPT_SECONDS:
            return []
        return _following(found[1], cursor)

    def read(self, stream: str, cursor: int, pruned_to: int, then: Waiting) -> None:
        """Reads the page that follows the cursor, once for all who wait. Each is called with the failure or None, and
        with whether there is something to go on with: events that follow its cursor without a gap, or only a newer
        look, where this one was under way before it asked."""
        key = _page(stream, cursor, pruned_to)
        with self._lock:
            waiting = self._waiting.setdefault(key, [])
            waiting.append((cursor if not waiting else None, then))
            if len(waiting) > 1:
                return
        threading.Thread(target=self._read, args=key, name="taskroom-history", daemon=True).start()

    def _read(self, stream: str, start: int) -> None:
        error: Exception | None = None
        events: list[Event] = []
        try:
            with self._readers:
                events = self._store.after(stream, start, PAGE_EVENTS)
            self._keep((stream, start), events)
        except Exception as failure:  # whatever it is, those who wait must hear of it
            error = failure
            if not isinstance(failure, StoreAway):
                logger.exception("reading %s back failed", stream)
        with self._lock:
            waiting = self._waiting.pop((stream, start))
        for cursor, then in waiting:
            try:
                then(error, cursor is None or bool(_following(events, cursor)))
            except Exception:  # one of a crowd must not keep it from the others
                logger.exception("what was read of %s could not be passed on", stream)

    def forget(self, now: float) -> None:
        """Lets go of pages that are too old to be asked for again, or too many."""
        with self._lock:
            while self._pages:
                key, (at, oldest) = next(iter(self._pages.items()))
                if self._bytes <= KEPT_BYTES and now - at <= KEPT_SECONDS:
                    break
                del self._pages[key]
                self._bytes -= sum(map(memory, oldest))

    def _keep(self, key: tuple[str, int], events: list[Event]) -> None:
        now = time.monotonic()
        with self._lock:
            replaced = self._pages.pop(key, (now, []))[1]
            self._bytes += sum(map(memory, events)) - sum(map(memory, replaced))
            self._pages[key] = (now, events)
        self.forget(now)


def _following(events: list[Event], cursor: int) -> list[Event]:
    skip = cursor + 1 - events[0].sequence if events else 0
    return events[skip:] if skip >= 0 else []  # what was pruned before them would be a gap


def _page(stream: str, cursor: int, pruned_to: int) -> tuple[str, int]:
    """The page's name: its stream and the sequence before its first event."""
    return stream, max(cursor - cursor % PAGE_EVENTS, pruned_to)
