"""A viewer: a cursor in a room, a filter and a wire. Nothing is queued for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.stream.burst import Codec, Data, Filter
from app.stream.present import First
from app.stream.resync import Resync

if TYPE_CHECKING:
    from app.stream.lane import Lane
    from app.stream.room import Room


class Wire(Protocol):
    """A connection as the hub writes to it: never waiting, and never in the middle of anybody else's frame.

    Several viewers may share one. OSError says that the connection is gone; a wire that raises anything else is
    treated the same, and that is logged.
    """

    progress_at: float  # monotonic time at which it last took something, kept while a viewer of it is parked

    @property
    def codec(self) -> Codec: ...

    @property
    def owed(self) -> int:
        """How much is left of frames that were begun."""

    def send(self, data: Data) -> int:
        """How much of it was taken now; 0 or BlockingIOError when nothing was, or something is still owed."""

    def owe(self, rest: Data) -> None:
        """The rest of a frame that was begun: the wire sends it before it takes anything else."""

    def settle(self) -> bool:
        """Sends what is owed, as far as the connection takes it; True when nothing is any more."""

    def await_room(self, viewer: Viewer) -> None:
        """Calls ``viewer.ready()`` once when the connection takes more."""

    def left(self, viewer: Viewer, reason: str) -> None:
        """The viewer will write no more, because of that reason; the wire says goodbye in its own way."""


@dataclass(slots=True, eq=False)
class Viewer:
    """Stands in a room at ``cursor``: in a lane with others while it keeps up, else alone, catching up."""

    room: Room
    start: int
    filter: Filter
    session_id: str
    resync: Resync | None
    advance: Callable[[Viewer], None]
    leave: Callable[[Viewer, str], None]
    wire: Wire | None = None
    first: First | None = None  # told before anything after the cursor
    lane: Lane | None = None
    ending: bool = False  # the last word is begun: nothing but the rest of it is to be sent
    closed: str | None = None

    @property
    def cursor(self) -> int:
        """The last sequence that it was sent or that its filter kept back; a frame that was begun counts."""
        return self.start if self.lane is None else self.lane.cursor

    @property
    def progress_at(self) -> float:
        return self.wire.progress_at if self.wire is not None else 0.0

    @progress_at.setter
    def progress_at(self, at: float) -> None:
        if self.wire is not None:
            self.wire.progress_at = at

    def ready(self) -> None:
        """Its wire takes more."""
        self.advance(self)

    def close(self, reason: str = "closed") -> None:
        """Takes it out of its room and tells its wire; safe to call twice and from any thread."""
        self.leave(self, reason)
