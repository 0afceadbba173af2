"""What a wire's viewers share: its format, and which events they want."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.stream.event import LEVELS, Event
from app.stream.resync import Resync

Data = Sequence[Any]  # bytes of a socket, or the packets of a library that takes nothing else


class Codec(Protocol):
    """A wire's format. One object for all viewers of that format: it is a part of what they share."""

    shared: bool  # many viewers have an equal one, so that what was joined for one is kept for the others
    whole: bool  # ``join`` makes one frame of all, so that the events of a burst are sent together

    def frame(self, event: Event) -> Data: ...

    def join(self, frames: Sequence[Data]) -> Data: ...

    def resync(self, resync: Resync) -> Data: ...

    def end(self, stream: str, last: Event | None, cursor: int) -> Data:
        """What a viewer at ``cursor`` is told when the stream ended, with the event ``last`` unless that is pruned."""


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
