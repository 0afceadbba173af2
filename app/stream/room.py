"""A room: the recent events of one stream, and the arithmetic that proves nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.stream.event import Event

if TYPE_CHECKING:
    from app.stream.viewer import Viewer

RING_EVENTS = 512
RING_BYTES = 256_000
EARLY_EVENTS = 4_096


class Room:
    """Holds a ring of the newest events. It accepts only ``head + 1``.

    Older events are dropped; a jump is kept aside as ``early`` until what lies before it comes,
    from Redis in another order or from Postgres.
    """

    def __init__(self, stream: str, head: int, pruned_to: int, closed: bool) -> None:
        self.stream = stream
        self.head = head
        self.pruned_to = pruned_to
        self.closed = closed
        self.followed = False
        self.confirmed = False  # the subscription is heard; until then the room is polled
        self.refilling = False
        self.viewers: set[Viewer] = set()
        self.empty_since: float | None = None
        self._ring: list[Event] = []
        self._bytes = 0
        self._early: dict[int, Event] = {}
        self._closes_at = head if closed else 0

    @property
    def has_early(self) -> bool:
        return bool(self._early)

    def accept(self, events: Sequence[Event], closes: bool = False) -> bool:
        """Takes what continues the head; True when the head moved."""
        if closes and events:
            self._closes_at = events[-1].sequence
        before = self.head
        for event in events:
            if event.sequence == self.head + 1:
                self._push(event)
            elif event.sequence > self.head and len(self._early) < EARLY_EVENTS:
                self._early[event.sequence] = event
        while self._early and (event_ := self._early.pop(self.head + 1, None)):
            self._push(event_)
        if self._early:
            self._early = {s: e for s, e in self._early.items() if s > self.head}
        self._settle()
        return self.head != before

    def jump(self, head: int, closed: bool) -> None:
        """Moves the head over events that viewers shall read from Postgres: too many for the ring."""
        if head > self.head:
            self._ring.clear()
            self._bytes = 0
            self.head = head
            self._early = {s: e for s, e in self._early.items() if s > head}
        if closed:
            self._closes_at = head
        self._settle()

    def after(self, cursor: int) -> list[Event] | None:
        """All events after the cursor, or None when the ring no longer reaches back so far."""
        if cursor >= self.head:
            return []
        first = self.head - len(self._ring) + 1
        if cursor + 1 < first:
            return None
        return self._ring[cursor + 1 - first :]

    def _push(self, event: Event) -> None:
        self._ring.append(event)
        self._bytes += len(event.payload)
        self.head = event.sequence
        drop = 0
        while len(self._ring) - drop > RING_EVENTS or (self._bytes > RING_BYTES and drop < len(self._ring)):
            self._bytes -= len(self._ring[drop].payload)
            drop += 1
        if drop:
            del self._ring[:drop]

    def _settle(self) -> None:
        if self._closes_at and self.head >= self._closes_at:
            self.closed = True
