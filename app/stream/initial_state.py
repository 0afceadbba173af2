"""The state of a stream, which a viewer without a cursor is sent first. No viewer that cannot take it yet has a copy:
viewers share what was read, and it is read again when it was dropped meanwhile."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from app.stream.codec import Filter
from app.stream.event import EVENT_BYTES, MAX_SEQUENCE, Event, memory
from app.stream.history import KEPT_SECONDS
from app.stream.shared_read import Kept, ReadOutcome, SharedReads, Waiter, droppable
from app.stream.single_flight import SingleFlight
from app.stream.store import NoSuchStream

KEPT_BYTES = 8_000_000  # of all streams together
READERS = 4  # for viewers that are behind; those that join have their own bound

State = tuple[list[Event], int]  # its events, and the sequence up to which they are the state


@dataclass(slots=True, eq=False)
class InitialState:
    """The state up to ``upto``, filtered, which a viewer is sent before anything after its cursor. ``sent_to`` is the
    sequence of the last event of it that was sent.

    The rest may come from a later reading. An example, with ``upto`` 50: phase A last changed at 40. The later reading
    has that event too, and it is sent. Phase B changed at 60: its older event is missing in the later reading, and
    the viewer is sent the event 60 after its cursor.
    """

    upto: int
    filter: Filter
    sent_to: int = 0

    def rest(self, events: Sequence[Event]) -> list[Event]:
        start, end = (bisect_right(events, at, key=lambda e: e.sequence) for at in (self.sent_to, self.upto))
        return [event for event in events[start:end] if self.filter.passes(event)]


class StateCache:
    """The states that were read lately. ``source`` reads one; NoSuchStream where there is no such stream."""

    def __init__(self) -> None:
        self.source: Callable[[str], State] = _nothing
        self._kept: OrderedDict[str, Kept] = OrderedDict()  # oldest first
        self._reads: SharedReads[str] = SharedReads(READERS, self.forget)
        self._single_flight: SingleFlight[State] = SingleFlight()
        self._lock = threading.Lock()
        self.bytes = 0

    def read_shared(self, stream: str) -> int:
        """Reads the state once for all viewers that join at the same moment; returns the sequence up to which it
        holds. Raises NoSuchStream, DatabaseUnavailable."""
        events, upto = self._single_flight(stream, lambda: self.source(stream))
        self.keep(stream, events, upto)
        return upto

    def unsent(self, stream: str, initial: InitialState) -> list[Event] | None:
        """Returns the events that are still to be sent to the viewer; None when they must be read first."""
        with self._lock:
            kept = self._kept.get(stream)
            return initial.rest(kept.events) if kept is not None and kept.upto >= initial.upto else None

    def read(self, stream: str, then: Waiter) -> None:
        """Reads the state again, once for all waiters; a stream that is gone has no events."""
        self._reads.read(stream, partial(self._load, stream), then)

    def keep(self, stream: str, events: list[Event], upto: int, delivered: bool = True) -> Kept:
        """Keeps the last reading, even one up to a lower sequence: the stream may have been rewound."""
        kept = Kept(events, EVENT_BYTES + sum(map(memory, events)), upto, delivered)
        with self._lock:
            self._drop(stream)
            self._kept[stream] = kept
            self.bytes += kept.bytes
        self.forget(time.monotonic())
        return kept

    def forget(self, now: float) -> None:
        """Drops states that are too old or too many, but not the newest, and none that a viewer waits for."""
        with self._lock:
            older = islice(self._kept.items(), max(0, len(self._kept) - 1))
            for stream in droppable(older, self.bytes, KEPT_BYTES, now - KEPT_SECONDS):
                self._drop(stream)

    def drop(self, stream: str) -> None:
        """What was read of that stream is no longer true."""
        with self._lock:
            self._drop(stream)

    def _load(self, stream: str) -> tuple[Kept, ReadOutcome]:
        try:
            events, upto = self.source(stream)
        except NoSuchStream:
            events, upto = [], MAX_SEQUENCE
        return self.keep(stream, events, upto, delivered=False), ReadOutcome.READY

    def _drop(self, stream: str) -> None:
        kept = self._kept.pop(stream, None)
        if kept is not None:
            self.bytes -= kept.bytes


def _nothing(stream: str) -> State:
    raise NoSuchStream(stream)
