"""An encoded batch: events joined in a wire's format once, and sent to all viewers that stand at its start."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from sys import getsizeof

from app.stream.codec import Codec, Data, Filter
from app.stream.event import Event

BATCH_CHARS = 64_000  # of payloads
FRAME_CHARS = 16_000  # of payloads in one frame: a slow connection shall receive something now and then
KEPT_BATCHES, KEPT_BYTES = 64, 8_000_000  # for viewers that catch up from the same cursor
KEPT_SELECTIONS = 16  # of the events of one batch, for the filters that follow

Kind = tuple[str, str | None]  # the type and level of an event, all that a filter looks at


@dataclass(slots=True)
class Position:
    """Where a viewer stands whose wire took a part of a batch, and the rest of the frame that was partly sent."""

    cursor: int
    remainder: Data


@dataclass(slots=True)
class EncodedBatch:
    """``data`` takes a viewer from ``start`` to ``cursor``. It is empty where the filter passes no event."""

    start: int
    cursor: int
    codec: Codec
    data: Data
    _types: list[str]
    _sequences: list[int]
    _lengths: list[int]

    @classmethod
    def of(cls, events: Sequence[Event], codec: Codec, filter: Filter) -> EncodedBatch:
        """Encodes the first of the events, up to a limit: a viewer that takes only a part keeps less in memory."""
        return BatchMaker(events, codec).batch(filter)

    @property
    def size(self) -> int:
        """Bytes of memory that the data takes, about."""
        return sum(map(getsizeof, self.data)) if isinstance(self.data, list) else getsizeof(self.data)

    def types_up_to(self, cursor: int) -> list[str]:
        """The types of the encoded events up to the cursor."""
        return self._types if cursor >= self.cursor else self._types[: bisect_right(self._sequences, cursor)]

    def position_after(self, taken: int) -> Position:
        """Returns where a viewer stands whose wire took that much of the data. A frame that is partly sent counts."""
        if self.codec.one_frame:
            return Position(self.cursor, self.data[taken:]) if taken else Position(self.start, self.data[:0])
        ends = list(accumulate(self._lengths))
        whole = bisect_right(ends, taken)  # frames that are wholly sent
        if whole == len(ends):
            return Position(self.cursor, self.data[:0])
        if taken > (ends[whole - 1] if whole else 0):
            return Position(self._sequences[whole], self.data[taken : ends[whole]])
        return Position(self._sequences[whole - 1] if whole else self.start, self.data[:0])


class BatchMaker:
    """Makes batches of the same events for many filters. An event is encoded once at most; filters that select the same
    of these events get the same batch."""

    __slots__ = ("_codec", "_events", "_frames", "_kinds", "_made")

    def __init__(self, events: Sequence[Event], codec: Codec) -> None:
        self._events, self._codec = first_batch(events, codec), codec
        self._frames: list[Data | None] = [None] * len(self._events)
        self._kinds: dict[Kind, Event] = {}  # an event of each
        self._made: dict[frozenset[Kind] | None, EncodedBatch] = {}

    def batch(self, filter: Filter) -> EncodedBatch:
        selected = self._selected(filter) if filter else None
        batch = self._made.get(selected)
        if batch is None:
            batch = self._batch(selected)
            if len(self._made) < KEPT_SELECTIONS:
                self._made[selected] = batch
        return batch

    def _selected(self, filter: Filter) -> frozenset[Kind] | None:
        """Returns the kinds of event that pass; None when all do."""
        if not self._kinds:
            self._kinds = {(event.type, event.level): event for event in self._events}
        selected = frozenset(kind for kind, event in self._kinds.items() if filter.passes(event))
        return None if len(selected) == len(self._kinds) else selected

    def _batch(self, selected: frozenset[Kind] | None) -> EncodedBatch:
        events, codec, known = self._events, self._codec, self._frames
        passed, frames = [], []
        for index, event in enumerate(events):
            if selected is None or (event.type, event.level) in selected:
                frame = known[index]
                if frame is None:
                    frame = known[index] = codec.frame(event)
                passed.append(event)
                frames.append(frame)
        return EncodedBatch(
            events[0].sequence - 1,
            events[-1].sequence,
            codec,
            codec.join(frames),
            [e.type for e in passed],
            [e.sequence for e in passed],
            [] if codec.one_frame else [len(f) for f in frames],
        )


class BatchCache(dict[tuple[object, ...], EncodedBatch]):
    """Encoded batches by stream, codec, filter and start; the oldest are dropped first."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def keep(self, key: tuple[object, ...], batch: EncodedBatch) -> None:
        self[key] = batch
        self._bytes += batch.size
        while len(self) > KEPT_BATCHES or (self._bytes > KEPT_BYTES and len(self) > 1):
            self._bytes -= self.pop(next(iter(self))).size

    def clear(self) -> None:
        super().clear()
        self._bytes = 0


def first_batch(events: Sequence[Event], codec: Codec) -> Sequence[Event]:
    """The first events, one at least, that are sent together."""
    total, limit = 0, FRAME_CHARS if codec.one_frame else BATCH_CHARS
    for n, event in enumerate(events):
        total += len(event.payload)
        if total > limit and n:
            return events[:n]
    return events
