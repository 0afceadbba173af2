"""All users' streams at once, for who wants a type of event whoever's it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from app.bus.registry import Registry
from app.bus.source import Source
from app.stream.event import Event
from app.stream.store import DatabaseUnavailable

logger = logging.getLogger("taskroom.bus")

PAGE_STREAMS = 2_000  # more at once would stall the loop of a web process
CHECK_SECONDS = 5.0  # a lost last event leaves no jump to notice
AWAY_SECONDS = 1.0  # the same, while Redis is not heard
REST = 20  # times as long as the last look took: a hundred thousand users are many rows

# As the index of these streams says it: among a million of tasks they must be found.
_HEADS = "SELECT id, name, last_seq FROM streams WHERE name LIKE 'user:%%' AND id > %s ORDER BY id LIMIT %s"


class AllUsersSubscription:
    """Knows where every user's stream stood when it was last heard: a name and a number each, no room, no viewer.

    What is published comes with its events. Where that does not follow on what is known, or a look at Postgres finds
    more, handlers are told how far they have to read.
    """

    def __init__(self, at: Source, registry: Registry, missed: Callable[[str, int, int], None]) -> None:
        self._hub, self._store = at.hub, at.store
        self._registry, self._missed = registry, missed
        self._known: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopped = False
        self._soon = threading.Event()

    def start(self) -> None:
        """All that is said after this is heard. Raises DatabaseUnavailable."""
        for page in self._pages():
            self._known.update(page)
        self._hub.subscription.subscribe_kind("user", self)
        threading.Thread(target=self._check, name="taskroom-all-users", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._soon.set()
        self._hub.subscription.unsubscribe_kind("user")

    def kind_confirmed(self) -> None:
        self._soon.set()

    def kind_received(self, stream: str, events: Sequence[Event]) -> None:
        with self._lock:
            # A stream that was not there at the start has said nothing that handlers have heard.
            known, last = self._known.get(stream, 0), events[-1].sequence
            if self._stopped or last <= known:
                return
            self._known[stream] = last
            if events[0].sequence == known + 1:
                for event in events:
                    self._registry.send(event.type, event)
            else:
                self._missed(stream, known, last)

    def _check(self) -> None:
        failing = False
        while not self._stopped:
            began = time.monotonic()
            try:
                self.look()
                failing = False
            except Exception as error:  # whatever it is, this thread must outlive it: it is the last net
                if not failing:
                    away = isinstance(error, DatabaseUnavailable)
                    logger.warning("looking after handlers fails, for now: %s", error, exc_info=not away)
                failing = True
            rest = REST * (time.monotonic() - began)
            self._soon.wait(max(rest, CHECK_SECONDS if self._hub.subscription.receiving else AWAY_SECONDS))
            self._soon.clear()

    def look(self) -> None:
        """Compares what is known with Postgres. Raises DatabaseUnavailable."""
        stood = dict(self._known)  # what was known before was committed before, so a look must find it
        for page in self._pages():
            with self._lock:
                for stream, last in page:
                    known = self._known.get(stream, 0)
                    if last < stood.get(stream, 0):  # a fail-over or a restore: its numbers are given anew
                        logger.warning("%s went back from %d to %d in Postgres", stream, known, last)
                        self._known[stream] = last
                    elif last > known and not self._stopped:
                        self._known[stream] = last
                        self._missed(stream, known, last)

    def _pages(self) -> Iterator[list[tuple[str, int]]]:
        """Where every user's stream stands in Postgres."""
        after, full = 0, True
        while full:
            with self._store.connect() as conn, conn.cursor() as cur:
                cur.execute(_HEADS, (after, PAGE_STREAMS))
                rows = cur.fetchall()
            yield [(name, last) for _, name, last in rows]
            full = len(rows) == PAGE_STREAMS
            after = rows[-1][0] if rows else after
