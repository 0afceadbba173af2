"""A viewer: a cursor in a room, a filter, and nothing queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.errors import TaskroomError
from app.stream.event import LEVELS, Event

if TYPE_CHECKING:
    from app.stream.room import Room


class Resync(TaskroomError):
    """A cursor that cannot be answered exactly. ``cursor`` is where the stream goes on from."""

    def __init__(self, stream: str, reason: str, oldest: int, head: int) -> None:
        super().__init__(f"{stream}: {reason}")
        self.stream, self.reason, self.oldest, self.head = stream, reason, oldest, head
        self.cursor = oldest - 1 if reason == "pruned" else head

    @classmethod
    def of(cls, stream: str, cursor: int, pruned_to: int, head: int) -> Resync | None:
        """Why this cursor cannot be answered; None when it can."""
        if cursor > head:
            return cls(stream, "beyond_head", pruned_to + 1, head)
        return cls(stream, "pruned", pruned_to + 1, head) if cursor < pruned_to else None

    def message(self) -> dict[str, object]:
        """What a client is told."""
        return {"stream": self.stream, "reason": self.reason, "oldest": self.oldest, "head": self.head}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a viewer wants. ``level`` is the least severe log line to pass."""

    types: frozenset[str] | None = None
    level: str | None = None

    def __bool__(self) -> bool:
        return self.types is not None or self.level is not None

    def passes(self, event: Event) -> bool:
        if self.types is not None and event.type not in self.types:
            return False
        return not (self.level and event.level and LEVELS.get(event.level, 0) < LEVELS[self.level])


@dataclass(frozen=True, slots=True)
class Batch:
    """What a viewer gets next. ``position`` is the sequence scanned so far, filtered ones included.

    Neither events nor end means that the stream was quiet for the time asked.
    """

    events: Sequence[Event] = ()
    position: int = 0
    ended: bool = False
    closed: str | None = None


@dataclass(slots=True, eq=False)
class Viewer:
    """Stands in a room at ``cursor``. One thread calls ``next``; any thread may ``close``."""

    room: Room
    cursor: int
    filter: Filter
    read: Callable[[str, int], list[Event]]
    refresh: Callable[[Room], None]
    leave: Callable[[Viewer], None]
    resync: Resync | None = None
    session_id: str = ""
    _wake: threading.Event = field(default_factory=threading.Event)
    _closed: str | None = None

    def next(self, patience: float) -> Batch:
        """Waits up to ``patience`` seconds for events after the cursor. Raises Resync at most once.

        A filter that lets nothing pass does not prolong the wait, however busy the room is.
        """
        limit = time.monotonic() + patience
        while True:
            self._wake.clear()
            if self._closed:
                return Batch(position=self.cursor, closed=self._closed)
            if self.resync:
                resync, self.resync = self.resync, None
                self.cursor = resync.cursor
                raise resync
            events = self.room.after(self.cursor)
            if events is None:
                events = self._read_back()
                if self.resync:
                    continue
            if events:
                self.cursor = events[-1].sequence
                passed = [e for e in events if self.filter.passes(e)] if self.filter else events
                if passed or time.monotonic() >= limit:
                    return Batch(passed, self.cursor)
            elif self.room.closed and self.cursor >= self.room.head:
                return Batch(position=self.cursor, ended=True)
            elif not self._wake.wait(max(0.0, limit - time.monotonic())):
                return Batch(position=self.cursor)

    @property
    def closed(self) -> bool:
        return self._closed is not None

    def wake(self) -> None:
        self._wake.set()

    def close(self, reason: str = "closed") -> None:
        """Ends ``next`` with the reason; safe to call twice."""
        if not self._closed:
            self._closed = reason
            self.leave(self)
        self._wake.set()

    def _read_back(self) -> list[Event]:
        events = self.read(self.room.stream, self.cursor)
        if not events:
            # It was there when the room was opened: pruning overtook this viewer, and perhaps the room too.
            self.refresh(self.room)
            self.resync = Resync(self.room.stream, "pruned", self.room.pruned_to + 1, self.room.head)
        return events
