"""A wire's format and a viewer's filter: viewers that have both in common are sent the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.stream.event import LEVELS, Event
from app.stream.resync import Resync

Data = Sequence[Any]  # bytes for a socket, or packets for a library that takes nothing else


class Codec(Protocol):
    """A wire's format. All viewers of a format have one object, by which batches and cohorts are shared."""

    shared: bool  # many viewers have this codec, so a batch that was encoded for one is kept for the others
    one_frame: bool  # ``join`` makes one frame of all events, so a batch cannot be cut between two of them

    def frame(self, event: Event) -> Data: ...

    def join(self, frames: Sequence[Data]) -> Data: ...

    def resync(self, resync: Resync) -> Data: ...

    def end(self, stream: str, last: Event | None, cursor: int) -> Data:
        """The frame that ends the stream for a viewer at ``cursor``; ``last`` is its last event, None when pruned."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a viewer wants. ``level`` is the least severe log line that passes.

    Events of one type and level pass together: batches are made once for them."""

    types: frozenset[str] | None = None
    level: str | None = None

    def __bool__(self) -> bool:
        return self.types is not None or self.level is not None

    def passes(self, event: Event) -> bool:
        if self.types is not None and event.type not in self.types:
            return False
        return not (self.level and event.level and LEVELS.get(event.level, 0) < LEVELS[self.level])
