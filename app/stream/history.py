"""Reads events that a room's ring no longer has from Postgres, once for all viewers that need them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import partial

from app.stream.event import Event, memory
from app.stream.shared_read import Kept, ReadOutcome, SharedReads, Waiter, droppable
from app.stream.store import Store

PAGE_EVENTS = 500
KEPT_BYTES = 16_000_000  # of all streams together
KEPT_SECONDS = 30.0
READERS = 8  # pages in flight; more would take the connection pool from all other requests

Page = tuple[str, int]  # its stream, and the sequence before its first event


class History:
    """Pages that begin at fixed sequences, so that viewers at different cursors share them; large ones in parts.

    They are kept for seconds: long enough for viewers that come back together, too short to be relied on as a cache.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reads: SharedReads[Page] = SharedReads(READERS, self.forget)
        # By page and first sequence; the oldest first.
        self._parts: OrderedDict[tuple[str, int, int], Kept] = OrderedDict()
        self._pages: dict[Page, dict[int, Kept]] = {}
        self._bytes = 0
        self._drops = 0  # a reading that began before the last drop is not kept
        self._lock = threading.Lock()

    def after(self, stream: str, cursor: int, pruned_to: int) -> list[Event]:
        """Returns the kept events that follow the cursor without a gap; [] when they must be read."""
        oldest = time.monotonic() - KEPT_SECONDS
        with self._lock:
            for part in self._pages.get(_page(stream, cursor, pruned_to), {}).values():
                if part.at >= oldest and (events := _following(part.events, cursor)):
                    return events
        return []

    def read(self, stream: str, cursor: int, pruned_to: int, then: Waiter) -> None:
        """Reads the page that holds the event after the cursor, once for all waiters; EMPTY when no event follows the
        cursor without a gap."""
        page = _page(stream, cursor, pruned_to)
        self._reads.read(page, partial(self._load, page, cursor), then)

    def forget(self, now: float) -> None:
        """Drops the parts that are too old or too many, but none that a viewer waits for."""
        with self._lock:
            for key in droppable(self._parts.items(), self._bytes, KEPT_BYTES, now - KEPT_SECONDS):
                self._drop(key)

    def drop(self, stream: str) -> None:
        """Drops all pages of that stream; those that are being read are not kept."""
        with self._lock:
            self._drops += 1
            for key in [key for key in self._parts if key[0] == stream]:
                self._drop(key)

    def _load(self, page: Page, cursor: int) -> tuple[Kept | None, ReadOutcome]:
        drops = self._drops
        events = self._store.page_part(*page, PAGE_EVENTS, cursor)
        part = self._keep(page, events, drops)
        return part, ReadOutcome.READY if _following(events, cursor) else ReadOutcome.EMPTY

    def _keep(self, page: Page, events: list[Event], drops: int) -> Kept | None:
        if not events:
            return None
        first = events[0].sequence
        part = Kept(events, sum(map(memory, events)))
        with self._lock:
            if drops != self._drops:
                return None  # the viewers who wait for it ask again
            if (*page, first) in self._parts:
                self._drop((*page, first))
            self._parts[(*page, first)] = self._pages.setdefault(page, {})[first] = part
            self._bytes += part.bytes
        return part

    def _drop(self, key: tuple[str, int, int]) -> None:
        part = self._parts.pop(key)
        self._bytes -= part.bytes
        kept = self._pages[key[:2]]
        del kept[key[2]]
        if not kept:
            del self._pages[key[:2]]


def _following(events: list[Event], cursor: int) -> list[Event]:
    skip = cursor + 1 - events[0].sequence if events else 0
    return events[skip:] if skip >= 0 else []  # pruned events before them would be a gap


def _page(stream: str, cursor: int, pruned_to: int) -> Page:
    return stream, max(cursor - cursor % PAGE_EVENTS, pruned_to)
