"""Limits of how many requests of a user run at a time: other users must get connections and time too."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from app.errors import TooMany
from app.http.admission import AdmissionQueue

MOST_WAITING = 1_000
REPORTS_READ, REPORTS_STORED = 64, 8
LARGE_REPORT, LARGE_REPORTS_STORED = 256 * 1024, 1  # bytes; so many of these at a time
DOWNLOADS_PER_USER, DOWNLOADS_IN_TOTAL = 4, 32
DOWNLOADS_PER_ADDRESS = DOWNLOADS_THROUGH_SHARES = 16  # half of all: nobody holds the places of the others
DOWNLOADS_OF_NEWCOMERS = 8  # beyond all: two addresses, or a few accounts, hold no place of these
LATER = {"Retry-After": "5"}


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
    """Limits downloads at a time: of each user, from each address, through the shares that a user made, and in total.
    A download lasts as long as its client reads. A newcomer, of whose user, address and shares none is running, may
    begin one beyond the total: so many of these at a time."""

    def __init__(
        self,
        per_user: int = DOWNLOADS_PER_USER,
        per_address: int = DOWNLOADS_PER_ADDRESS,
        through_shares: int = DOWNLOADS_THROUGH_SHARES,
        in_total: int = DOWNLOADS_IN_TOTAL,
        of_newcomers: int = DOWNLOADS_OF_NEWCOMERS,
    ) -> None:
        self._per_user, self._per_address, self._through_shares = per_user, per_address, through_shares
        self._in_total, self._of_newcomers, self._lock = in_total, of_newcomers, threading.Lock()
        self._running: Counter[tuple[str, str]] = Counter()
        self._all = 0

    def begin(self, user_id: str, address: str, shared_by: str | None) -> Callable[[], None]:
        """Starts a download; returns a function that ends it, to be called once. ``shared_by``: who made the share,
        where the user is one. Raises TooMany."""
        counted = {("user", user_id): self._per_user, ("address", address): self._per_address}
        if shared_by is not None:
            counted["shares", shared_by] = self._through_shares
        with self._lock:
            for (whose, name), most in counted.items():
                if self._running.get((whose, name), 0) >= most:
                    raise TooMany(f"{_WORDS[whose]} {most} downloads at once", headers=LATER)
            is_newcomer = self._running.keys().isdisjoint(counted)
            if self._all >= self._in_total + (self._of_newcomers if is_newcomer else 0):
                raise TooMany("Too many downloads at a time; try again", headers=LATER)
            self._running.update(counted.keys())
            self._all += 1
        return partial(self._end, counted.keys())

    def _end(self, counted: Iterable[tuple[str, str]]) -> None:
        with self._lock:
            self._all -= 1
            for key in counted:
                self._running[key] -= 1
                if not self._running[key]:
                    del self._running[key]


_WORDS = {"user": "A user has", "address": "An address has", "shares": "The shares of a user have"}
