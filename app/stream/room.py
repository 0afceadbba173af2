"""A room: the recent events of one stream, and the arithmetic that proves that none is missing."""

from __future__ import annotations

from collections.abc import Sequence

from app.stream.event import Event, memory

RING_EVENTS = 512
RING_BYTES = 256_000
UNSENT_BYTES = 4_000_000  # the ring keeps events that its viewers were not sent yet, up to here
EARLY_BYTES = 1_000_000  # events that came before their predecessors; more are read from Postgres


class Room:
    """Holds a ring of the newest events. It accepts only ``head + 1``.

    Older events are dropped. Events after a gap are kept aside as ``early`` until the gap is filled, from Redis in
    another order or from Postgres.
    """

    def __init__(self, stream: str, head: int, pruned_to: int, closed: bool) -> None:
        self.stream = stream
        self.head = head
        self.pruned_to = pruned_to
        self.closed = closed
        self.sent = head  # the last sequence that its viewers were sent
        self._ring: list[Event] = []
        self._early: dict[int, Event] = {}
        self._ring_bytes = self._early_bytes = 0
        self._closes_at = head if closed else 0
        self.contradicted = False  # Postgres has other events than those sent under the same sequences

    @property
    def bytes(self) -> int:
        """The memory that its events take."""
        return self._ring_bytes + self._early_bytes

    @property
    def has_early(self) -> bool:
        return bool(self._early)

    def accept(self, events: Sequence[Event], closes: bool = False) -> bool:
        """Takes the events that continue the head; True when the head moved."""
        if closes and events:
            self._closes_at = events[-1].sequence
        before = self.head
        fresh: list[Event] = []
        expected = before + 1
        for event in events:
            if event.sequence == expected:
                fresh.append(event)
                expected += 1
            elif event.sequence > expected and self._early_bytes < EARLY_BYTES:
                if event.sequence not in self._early:
                    self._early_bytes += memory(event)
                self._early[event.sequence] = event
        if self._early:
            while early := self._early.pop(expected, None):
                fresh.append(early)
                expected += 1
            self._early = {s: e for s, e in self._early.items() if s >= expected}
            self._early_bytes = sum(map(memory, self._early.values()))
        if fresh:
            self._push(fresh)
        if self._closes_at and self.head >= self._closes_at:
            self.closed = True
        return self.head != before

    def jump(self, head: int, closed: bool) -> None:
        """Moves the head over events that are too many for the ring; viewers read them from Postgres."""
        if head > self.head:
            self._empty()
            self.head = head
        if closed:
            self._closes_at = head
        self.accept(())  # events that came early may continue the new head

    def rewind(self, head: int, pruned_to: int, closed: bool) -> None:
        """Goes back to the head of a Postgres that has lost events: its events are the truth from now on."""
        self.forget()
        self.head = self.sent = head
        self.pruned_to, self.closed, self.contradicted = pruned_to, closed, False
        self._closes_at = head if closed else 0

    def contradicts(self, events: Sequence[Event]) -> bool:
        """Whether one of these events differs from the event of the same sequence in the ring."""
        known = {event.sequence: event.payload for event in self._ring}
        return any(known.get(event.sequence, event.payload) != event.payload for event in events)

    def forget(self) -> None:
        """Drops all events; viewers that need them read Postgres."""
        self._empty()
        self._early, self._early_bytes = {}, 0

    def after(self, cursor: int) -> list[Event] | None:
        """Returns all events after the cursor; None when the ring no longer reaches back so far."""
        ring = self._ring
        if not ring or cursor >= ring[-1].sequence:
            return [] if cursor >= self.head else None
        first = ring[0].sequence
        return None if cursor + 1 < first else ring[cursor + 1 - first :]

    def trim(self, sent: int) -> None:
        """Marks the events up to that sequence as sent: the ring now keeps them only for viewers that are behind."""
        self.sent = sent
        if sent == self.head:
            self._drop(RING_BYTES, RING_EVENTS)

    def _push(self, fresh: list[Event]) -> None:
        # A new list each time: a thread that reads the old one would miss an event.
        self._ring = self._ring + fresh
        self._ring_bytes += sum(map(memory, fresh))
        self.head = fresh[-1].sequence
        # A batch may be larger than the ring: viewers that keep up are sent all of it before it is cut.
        self._drop(UNSENT_BYTES, max(RING_EVENTS, self.head - self.sent))

    def _drop(self, bytes: int, events: int) -> None:
        ring, drop = self._ring, 0
        while len(ring) - drop > events or (self._ring_bytes > bytes and drop < len(ring)):
            self._ring_bytes -= memory(ring[drop])
            drop += 1
        if drop:
            self._ring = ring[drop:]

    def _empty(self) -> None:
        self._ring, self._ring_bytes = [], 0
