"""Reads from Postgres once for all viewers that wait for the same, and bounds what is kept of it for others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

from app.errors import causes
from app.errors.survived import survived
from app.stream.background import spawn, with_pauses
from app.stream.event import Event

logger = logging.getLogger("taskroom.hub")

WAITING_AT_ONCE = 8  # waiters called before other threads run

Key = TypeVar("Key", bound=Hashable)


class ReadOutcome(Enum):
    """The result of a reading, for one waiter."""

    # Look in the cache. If it is not there (the read began before you asked), call ``read`` again.
    READY = auto()
    EMPTY = auto()  # nothing was found
    RETRY = auto()  # Postgres did not answer; it may later
    FAILED = auto()  # a fault, which is logged


@dataclass(slots=True, eq=False)
class Kept:
    """Events that were read together, kept for the viewers that need them next."""

    events: list[Event]
    bytes: int
    upto: int = 0  # of a state: the sequence up to which it holds
    delivered: bool = False  # all waiters have been called, so it may be dropped
    at: float = field(default_factory=time.monotonic)


Waiter = Callable[[ReadOutcome], None]
Load = Callable[[], tuple[Kept | None, ReadOutcome]]


class SharedReads(Generic[Key]):
    """Reads in threads of its own, ``readers`` at a time. ``forget(now)`` is called after each reading."""

    def __init__(self, readers: int, forget: Callable[[float], None]) -> None:
        self._forget = forget
        self._waiting: dict[Key, list[Waiter]] = {}
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(readers)

    def read(self, key: Key, load: Load, then: Waiter) -> None:
        """Runs ``load`` once for all who ask for the key until it returns, then calls each ``then``.

        The first waiter gets the outcome of ``load``; the others get READY, unless it failed.
        """
        with self._lock:
            waiting = self._waiting.setdefault(key, [])
            waiting.append(then)
            if len(waiting) > 1:
                return
        spawn(self._read, key, load)

    def _read(self, key: Key, load: Load) -> None:
        kept: Kept | None = None
        others = ReadOutcome.READY
        try:
            with self._readers:
                kept, first = load()
        except Exception as error:  # whatever it is, the waiters must be called
            first = others = ReadOutcome.RETRY if causes.of(error).is_temporary else ReadOutcome.FAILED
            if first is ReadOutcome.FAILED:
                survived(logger, error, "reading %s failed", key)
        with self._lock:
            waiting = self._waiting.pop(key)
        for number, then in enumerate(with_pauses(waiting, WAITING_AT_ONCE)):
            try:
                then(others if number else first)
            except Exception:  # one waiter must not keep the result from the others
                logger.exception("what was read of %s could not be passed on", key)
        if kept is not None:
            kept.delivered = True
        self._forget(time.monotonic())


def droppable(kept: Iterable[tuple[Key, Kept]], total: int, most: int, since: float) -> list[Key]:
    """Returns which keys to drop of what is kept, the oldest first: what was read before ``since``, and more until the
    ``total`` bytes are no more than ``most``. What a waiter waits for stays."""
    found = []
    for key, part in kept:
        if total <= most and part.at >= since:
            break
        if part.delivered:
            total -= part.bytes
            found.append(key)
    return found
