"""What is read from Postgres once for all who ask for it, and kept for as long as others may ask for the same."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from app.stream.background import in_turns, spawn
from app.stream.store import StoreAway

logger = logging.getLogger("taskroom.hub")

WAITING_AT_ONCE = 8  # are called before others have their turn

Key = TypeVar("Key", bound=Hashable)


class Outcome(Enum):
    """What those who wait for a reading are called with."""

    READY = auto()  # look again at what is kept; it may also be that one has to ask for a newer reading
    EMPTY = auto()  # there is nothing to go on with
    RETRY = auto()  # Postgres did not answer; the same later may work
    FAILED = auto()  # a fault, which is logged


class Kept(Protocol):
    bytes: int
    at: float  # monotonic time at which it was read
    delivered: bool  # those who waited for it have been called; it may be dropped


Waiter = Callable[[Outcome], None]
Load = Callable[[], tuple[Kept | None, Outcome]]


class SharedReads(Generic[Key]):
    """Reads in threads of its own, ``readers`` at a time; ``forget`` is called with the time after each reading."""

    def __init__(self, readers: int, forget: Callable[[float], None]) -> None:
        self._forget = forget
        self._waiting: dict[Key, list[Waiter]] = {}
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(readers)

    def read(self, key: Key, load: Load, then: Waiter) -> None:
        """Calls ``load``, once for all who ask for the key before it has returned, then each ``then``.

        The first one gets the outcome of ``load``. Without a fault the others get READY: the reading was under way
        before they asked, so it may be older than their question.
        """
        with self._lock:
            waiting = self._waiting.setdefault(key, [])
            waiting.append(then)
            if len(waiting) > 1:
                return
        spawn(self._read, key, load)

    def _read(self, key: Key, load: Load) -> None:
        kept: Kept | None = None
        others = Outcome.READY
        try:
            with self._readers:
                kept, first = load()
        except StoreAway:
            first = others = Outcome.RETRY
        except Exception:  # whatever it is, those who wait must be called
            logger.exception("reading %s failed", key)
            first = others = Outcome.FAILED
        with self._lock:
            waiting = self._waiting.pop(key)
        for number, then in enumerate(in_turns(waiting, WAITING_AT_ONCE)):
            try:
                then(others if number else first)
            except Exception:  # one of a crowd must not keep it from the others
                logger.exception("what was read of %s could not be passed on", key)
        if kept is not None:
            kept.delivered = True
        self._forget(time.monotonic())


def droppable(kept: Iterable[tuple[Key, Kept]], total: int, most: int, since: float) -> list[Key]:
    """The keys of what may be dropped, of all that is kept, the oldest first, which has ``total`` bytes: what was read
    before ``since``, or exceeds ``most`` bytes; but nothing that somebody waits for."""
    found = []
    for key, part in kept:
        if total <= most and part.at >= since:
            break
        if part.delivered:
            total -= part.bytes
            found.append(key)
    return found
