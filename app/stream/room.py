"""A room: the recent events of one stream, and the arithmetic that proves nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.stream.event import Event, memory

if TYPE_CHECKING:
    from app.stream.burst import Codec, Filter
    from app.stream.lane import Lane
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
        self.lanes: dict[tuple[Codec, Filter], Lane] = {}
        self.arriving: list[Viewer] = []  # caught up while their lane waits for its tick
        self.empty_since: float | None = None
        self.woken_at = 0.0  # monotonic time at which its viewers were last sent something
        self.sent = head  # the last sequence that they were sent
        self.rests_until = 0.0  # what comes before that waits for a tick
        self.bytes = 0  # memory of the ring
        self._ring: list[Event] = []
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
        fresh: list[Event] = []
        expected = before + 1
        for event in events:
            if event.sequence == expected:
                fresh.append(event)
                expected += 1
            elif event.sequence > expected and len(self._early) < EARLY_EVENTS:
                self._early[event.sequence] = event
        while self._early and (early := self._early.pop(expected, None)):
            fresh.append(early)
            expected += 1
        if fresh:
            self._push(fresh)
        if self._early:
            self._early = {s: e for s, e in self._early.items() if s > self.head}
        self._settle()
        return self.head != before

    def jump(self, head: int, closed: bool) -> None:
        """Moves the head over events that viewers shall read from Postgres: too many for the ring."""
        if head > self.head:
            self.forget()
            self.head = head
        if closed:
            self._closes_at = head
        self.accept(())  # what came early may go on from here

    def forget(self) -> None:
        """Empties the ring; who needs what was in it reads Postgres."""
        self._ring = []
        self.bytes = 0

    def after(self, cursor: int) -> list[Event] | None:
        """All events after the cursor, or None when the ring no longer reaches back so far."""
        ring = self._ring
        if not ring or cursor >= ring[-1].sequence:
            return [] if cursor >= self.head else None
        first = ring[0].sequence
        return None if cursor + 1 < first else ring[cursor + 1 - first :]

    def _push(self, fresh: list[Event]) -> None:
        # A new list each time: another thread may be looking at the old one, and would miss an event.
        ring = self._ring + fresh
        self.bytes += sum(map(memory, fresh))
        drop = 0
        while len(ring) - drop > RING_EVENTS or (self.bytes > RING_BYTES and drop < len(ring)):
            self.bytes -= memory(ring[drop])
            drop += 1
        self._ring, self.head = ring[drop:] if drop else ring, fresh[-1].sequence

    def _settle(self) -> None:
        if self._closes_at and self.head >= self._closes_at:
            self.closed = True
