"""Requests of one user are answered a few at a time, so that they leave connections and time to others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from app.errors import TooMany
from app.http.admission import Queue

MOST_WAITING = 1_000
REPORTS_READ, REPORTS_STORED = 64, 8
DOWNLOADS_OF_ONE, DOWNLOADS_IN_ALL = 4, 32


class Shares:
    """``at_once`` of each; the others of the same one wait in the order in which they came."""

    def __init__(self, at_once: int, waiting: int = MOST_WAITING) -> None:
        self._at_once, self._most = at_once, at_once + waiting
        self._lock = threading.Lock()
        self._here: dict[str, int] = {}
        self._queues: dict[str, Queue] = {}

    @contextmanager
    def turn(self, user_id: str) -> Iterator[None]:
        """Raises TooMany for who has so many waiting already."""
        with self._lock:
            here = self._here.get(user_id, 0)
            if here >= self._most:
                raise TooMany("Too many of your requests wait already", headers={"Retry-After": "1"})
            self._here[user_id] = here + 1
            queue = self._queues.setdefault(user_id, Queue(self._at_once))
        try:
            with place(queue):
                yield
        finally:
            with self._lock:
                self._here[user_id] -= 1
                if not self._here[user_id]:
                    del self._here[user_id], self._queues[user_id]


class Reports:
    """Turns of workers' events, whose bodies are large: of each user ``at_once``, beside the requests of people; of all
    so many bodies in memory, of which fewer are parsed and stored, a parsed one being many times as large."""

    def __init__(self, at_once: int, read: int = REPORTS_READ, stored: int = REPORTS_STORED) -> None:
        self._shares, self._read, self._stored = Shares(at_once), Queue(read), Queue(stored)

    @contextmanager
    def turn(self, user_id: str) -> Iterator[AbstractContextManager[None]]:
        """For reading a body; what is given, for what is made of it. Raises TooMany as Shares does."""
        with self._shares.turn(user_id), place(self._read):
            yield place(self._stored)


class Downloads:
    """So many of each user and of all at a time; more are refused. One lasts for as long as its reader takes."""

    def __init__(self, of_one: int = DOWNLOADS_OF_ONE, in_all: int = DOWNLOADS_IN_ALL) -> None:
        self._of_one, self._in_all, self._lock = of_one, in_all, threading.Lock()
        self._here: Counter[str] = Counter()

    def begin(self, user_id: str) -> Callable[[], None]:
        """Returns what is to be called at its end, once. Raises TooMany."""
        with self._lock:
            if self._here.get(user_id, 0) >= self._of_one:
                raise TooMany(f"A user has {self._of_one} downloads at a time", headers={"Retry-After": "5"})
            if self._here.total() >= self._in_all:
                raise TooMany("Too many downloads at a time; try again", headers={"Retry-After": "5"})
            self._here[user_id] += 1
        return partial(self._end, user_id)

    def _end(self, user_id: str) -> None:
        with self._lock:
            self._here[user_id] -= 1
            if not self._here[user_id]:
                del self._here[user_id]


@contextmanager
def place(queue: Queue) -> Iterator[None]:
    queue.enter()
    try:
        yield
    finally:
        queue.leave()
