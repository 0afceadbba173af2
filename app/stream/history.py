"""What lies behind a room's ring, read from Postgres once for all who ask for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from app.stream.background import in_turns, spawn
from app.stream.event import Event, memory
from app.stream.keeping import let_go
from app.stream.store import Store, StoreAway

logger = logging.getLogger("taskroom.history")

PAGE_EVENTS = 500
KEPT_BYTES = 16_000_000  # of all streams together
KEPT_SECONDS = 30.0
WAITING_AT_ONCE = 8  # are sent what was read for them before others have their turn
READERS = 8  # pages in flight; more would take the pool from everybody else

Waiting = Callable[[Exception | None, bool], None]


@dataclass(slots=True, eq=False)
class Part:
    """Events of a page that were read together: all of them, unless they are large."""

    page: tuple[str, int]
    events: list[Event]
    at: float
    bytes: int
    told: bool = False  # those who waited for it have it; it may be let go of


class History:
    """Pages that begin at fixed sequences, so that viewers at different cursors share them; large ones in parts.

    Kept for seconds: long enough for the crowd that comes back at once, too short to become a cache to trust.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: OrderedDict[tuple[str, int, int], Part] = (
            OrderedDict()
        )  # by page and first sequence; oldest first
        self._pages: dict[tuple[str, int], dict[int, Part]] = {}
        self._bytes = 0
        self._drops = 0  # what was being read meanwhile is of before
        self._waiting: dict[tuple[str, int], list[tuple[int | None, Waiting]]] = {}
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)

    def after(self, stream: str, cursor: int, pruned_to: int) -> list[Event]:
        """The kept events that follow the cursor without a gap; [] when they must be read."""
        oldest = time.monotonic() - KEPT_SECONDS
        with self._lock:
            for part in self._pages.get(_page(stream, cursor, pruned_to), {}).values():
                if part.at >= oldest and (events := _following(part.events, cursor)):
                    return events
        return []

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
        spawn(self._read, *key, cursor)

    def _read(self, stream: str, start: int, cursor: int) -> None:
        error: Exception | None = None
        part: Part | None = None
        found, drops = False, self._drops
        try:
            with self._readers:
                events = self._store.part(stream, start, PAGE_EVENTS, cursor)
            found = bool(_following(events, cursor))
            part = self._keep((stream, start), events, drops)
        except Exception as failure:  # whatever it is, those who wait must hear of it
            error = failure
            if not isinstance(failure, StoreAway):
                logger.exception("reading %s back failed", stream)
        with self._lock:
            waiting = self._waiting.pop((stream, start))
        for leads, then in in_turns(waiting, WAITING_AT_ONCE):
            try:
                then(error, leads is None or found)
            except Exception:  # one of a crowd must not keep it from the others
                logger.exception("what was read of %s could not be passed on", stream)
        if part is not None:
            part.told = True
        self.forget(time.monotonic())

    def forget(self, now: float) -> None:
        """Lets go of what is too old to be asked for again, or too much, but of nothing that somebody waits for."""
        with self._lock:
            for key in let_go(self._parts.items(), self._bytes, KEPT_BYTES, now - KEPT_SECONDS):
                self._drop(key)

    def drop(self, stream: str) -> None:
        """Lets go of all pages of that stream, and keeps none that is being read."""
        with self._lock:
            self._drops += 1
            for key in [key for key in self._parts if key[0] == stream]:
                self._drop(key)

    def _keep(self, page: tuple[str, int], events: list[Event], drops: int) -> Part | None:
        if not events:
            return None
        first = events[0].sequence
        part = Part(page, events, time.monotonic(), sum(map(memory, events)))
        with self._lock:
            if drops != self._drops:
                return None  # who waits for it asks again
            if (*page, first) in self._parts:
                self._drop((*page, first))
            self._parts[(*page, first)] = self._pages.setdefault(page, {})[first] = part
            self._bytes += part.bytes
        return part

    def _drop(self, key: tuple[str, int, int]) -> None:
        part = self._parts.pop(key)
        self._bytes -= part.bytes
        kept = self._pages[part.page]
        del kept[key[2]]
        if not kept:
            del self._pages[part.page]


def _following(events: list[Event], cursor: int) -> list[Event]:
    skip = cursor + 1 - events[0].sequence if events else 0
    return events[skip:] if skip >= 0 else []  # what was pruned before them would be a gap


def _page(stream: str, cursor: int, pruned_to: int) -> tuple[str, int]:
    """The page's name: its stream and the sequence before its first event."""
    return stream, max(cursor - cursor % PAGE_EVENTS, pruned_to)
