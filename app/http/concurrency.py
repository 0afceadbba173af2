"""Limits of how many requests of a user run at a time: other users must get connections and time too."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from app.errors import TooMany
from app.http.admission import AdmissionQueue

MOST_WAITING = 1_000
REPORTS_READ, REPORTS_STORED = 64, 8
LARGE_REPORT, LARGE_REPORTS_STORED = 256 * 1024, 1  # bytes; so many of these at a time
DOWNLOADS_PER_USER, DOWNLOADS_IN_TOTAL = 4, 32


class UserConcurrency:
    """Runs ``at_once`` requests of each user; further requests of the user wait in the order of their arrival."""

    def __init__(self, at_once: int, waiting: int = MOST_WAITING) -> None:
        self._at_once, self._limit = at_once, at_once + waiting
        self._lock = threading.Lock()
        self._requests: dict[str, int] = {}  # that run or wait
        self._queues: dict[str, AdmissionQueue] = {}

    @contextmanager
    def slot(self, user_id: str) -> Iterator[None]:
        """Encloses a request of the user. Raises TooMany when too many of its requests wait."""
        with self._lock:
            requests = self._requests.get(user_id, 0)
            if requests >= self._limit:
                raise TooMany("Too many of your requests wait already", headers={"Retry-After": "1"})
            self._requests[user_id] = requests + 1
            queue = self._queues.setdefault(user_id, AdmissionQueue(self._at_once))
        try:
            with queue:
                yield
        finally:
            with self._lock:
                self._requests[user_id] -= 1
                if not self._requests[user_id]:
                    del self._requests[user_id], self._queues[user_id]


class ReportConcurrency:
    """Limits the requests with workers' events, whose bodies are large: ``at_once`` for each user, not counted as
    other requests; in total ``read`` bodies in memory. Fewer (``stored``) are parsed at a time, and of large ones
    ``large``: a parsed body is up to ten times as large."""

    def __init__(
        self,
        at_once: int,
        read: int = REPORTS_READ,
        stored: int = REPORTS_STORED,
        large: int = LARGE_REPORTS_STORED,
    ) -> None:
        self._users = UserConcurrency(at_once)
        self._read, self._stored, self._large = (AdmissionQueue(most) for most in (read, stored, large))

    @contextmanager
    def slot(self, user_id: str) -> Iterator[Callable[[int], AbstractContextManager[None]]]:
        """Encloses reading a body. Yields a function of its size, whose result encloses parsing and storing it. Raises
        TooMany like UserConcurrency."""
        with self._users.slot(user_id), self._read:
            yield self._storing

    @contextmanager
    def _storing(self, size: int) -> Iterator[None]:
        with self._large if size > LARGE_REPORT else nullcontext(), self._stored:
            yield


class Downloads:
    """Limits downloads at a time, for each user and in total. A download lasts as long as its client reads."""

    def __init__(self, per_user: int = DOWNLOADS_PER_USER, in_total: int = DOWNLOADS_IN_TOTAL) -> None:
        self._per_user, self._in_total, self._lock = per_user, in_total, threading.Lock()
        self._running: Counter[str] = Counter()

    def begin(self, user_id: str) -> Callable[[], None]:
        """Starts a download; returns a function that ends it, to be called once. Raises TooMany."""
        with self._lock:
            if self._running.get(user_id, 0) >= self._per_user:
                raise TooMany(f"A user has {self._per_user} downloads at once", headers={"Retry-After": "5"})
            if self._running.total() >= self._in_total:
                raise TooMany("Too many downloads at a time; try again", headers={"Retry-After": "5"})
            self._running[user_id] += 1
        return partial(self._end, user_id)

    def _end(self, user_id: str) -> None:
        with self._lock:
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]
