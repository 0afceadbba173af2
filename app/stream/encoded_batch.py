"""A burst: events joined in a wire's format, made once and sent to everyone who stands at its cursor."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from sys import getsizeof
from typing import NamedTuple

from app.stream.codec import Codec, Data, Filter
from app.stream.event import Event

BATCH_CHARS = 64_000  # characters of payloads
FRAME_CHARS = 16_000  # of what is one frame: a slow connection shall hear something now and then


class Cut(NamedTuple):
    """Where a viewer stands whose wire took a part of a burst, and what is left of the frame that is partly sent."""

    cursor: int
    remainder: Data


@dataclass(slots=True)
class EncodedBatch:
    """``data`` takes a viewer at ``start`` to ``cursor``. It is empty where a filter lets nothing pass."""

    start: int
    cursor: int
    codec: Codec
    data: Data
    _types: list[str]
    _sequences: list[int]
    _lengths: list[int]

    @classmethod
    def of(cls, events: Sequence[Event], codec: Codec, filter: Filter) -> EncodedBatch:
        """The first of the events, up to a limit: a viewer that cannot take it at once keeps less."""
        events = first_of(events, codec)
        passed = [e for e in events if filter.passes(e)] if filter else events
        frames = [codec.frame(e) for e in passed]
        return cls(
            events[0].sequence - 1,
            events[-1].sequence,
            codec,
            codec.join(frames),
            [e.type for e in passed],
            [e.sequence for e in passed],
            [] if codec.whole else [len(f) for f in frames],
        )

    @property
    def size(self) -> int:
        """Bytes of memory that its data takes, about."""
        return sum(map(getsizeof, self.data)) if isinstance(self.data, list) else getsizeof(self.data)

    def told(self, cursor: int) -> list[str]:
        """The types of what it has up to there."""
        return self._types if cursor >= self.cursor else self._types[: bisect_right(self._sequences, cursor)]

    def cut(self, taken: int) -> Cut:
        """``taken`` is how much of ``data`` a wire took; a frame that is partly sent counts as sent."""
        nothing = self.data[:0]
        if self.codec.whole:
            return Cut(self.cursor, self.data[taken:]) if taken else Cut(self.start, nothing)
        ends = list(accumulate(self._lengths))
        whole = bisect_right(ends, taken)  # frames that were taken as a whole
        if whole == len(ends):
            return Cut(self.cursor, nothing)
        if taken > (ends[whole - 1] if whole else 0):
            return Cut(self._sequences[whole], self.data[taken : ends[whole]])
        return Cut(self._sequences[whole - 1] if whole else self.start, nothing)


def first_of(events: Sequence[Event], codec: Codec) -> Sequence[Event]:
    """Those that go out together, one at least."""
    total, limit = 0, FRAME_CHARS if codec.whole else BATCH_CHARS
    for n, event in enumerate(events):
        total += len(event.payload)
        if total > limit and n:
            return events[:n]
    return events
