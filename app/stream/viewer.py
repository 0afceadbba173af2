"""A viewer: a cursor in a room, a filter and a wire. Nothing is queued for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.stream.codec import Codec, Data, Filter
from app.stream.encoded_batch import EncodedBatch
from app.stream.faults import Faults
from app.stream.present import First
from app.stream.resync import Resync
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
    def unsent(self) -> int:
        """How much is left of frames that were begun."""

    def send(self, data: Data) -> int:
        """How much of it was taken now; 0 or BlockingIOError when nothing was, or something is still unsent."""

    def hold_remainder(self, rest: Data) -> None:
        """The rest of a frame that was begun: the wire sends it before it takes anything else."""

    def send_remainder(self) -> bool:
        """Sends what is unsent, as far as the connection takes it; True when nothing is any more."""

    def call_when_writable(self, viewer: Viewer) -> None:
        """Calls ``viewer.ready()`` once when the connection takes more."""

    def left(self, viewer: Viewer, reason: str) -> None:
        """The viewer will write no more, because of that reason; the wire says goodbye in its own way."""


@dataclass(slots=True, eq=False)
class Viewer:
    """Stands in a room at ``cursor``: in a cohort with others while it keeps up, else alone, catching up."""

    room: Room
    start: int
    filter: Filter
    session_id: str
    resync: Resync | None
    advance: Callable[[Viewer], None]
    leave: Callable[[Viewer, str], None]
    wire: Wire | None = None
    first: First | None = None  # told before anything after the cursor
    cohort: Cohort | None = None
    ending: bool = False  # the last word is begun: nothing but the rest of it is to be sent
    closed: str | None = None

    @property
    def cursor(self) -> int:
        """The last sequence that it was sent or that its filter kept back; a frame that was begun counts."""
        return self.start if self.cohort is None else self.cohort.cursor

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


class Cohort:
    """The viewers of one format and filter that stand at one cursor, so that one buffer serves them all."""

    __slots__ = ("codec", "cursor", "filter", "viewers")

    def __init__(self, codec: Codec, filter: Filter, cursor: int) -> None:
        self.codec, self.filter, self.cursor = codec, filter, cursor
        self.viewers: set[Viewer] = set()

    @property
    def key(self) -> tuple[Codec, Filter]:
        return self.codec, self.filter

    def enter(self, viewer: Viewer) -> None:
        viewer.cohort = self
        self.viewers.add(viewer)

    def exit(self, viewer: Viewer) -> None:
        """The viewer goes on alone, from here."""
        self.viewers.discard(viewer)
        viewer.start, viewer.cohort = self.cursor, None

    def send(self, burst: EncodedBatch, faults: Faults) -> tuple[list[tuple[Viewer, int]], list[Viewer]]:
        """Offers the burst to all and moves on. Returns who took only so much of it, and who is gone."""
        data, size = burst.data, len(burst.data)
        behind: list[tuple[Viewer, int]] = []
        gone: list[Viewer] = []
        if size:  # a filter may have let nothing pass
            for viewer in list(self.viewers):  # a wire may find out that its socket is closed, and leave
                try:  # as ``offered``, but a call for each viewer and tick is a tenth of what Python costs here
                    taken = viewer.wire.send(data)  # type: ignore[union-attr]
                except BlockingIOError:
                    taken = 0
                except Exception as error:  # one wire's fault is its viewer's alone
                    if not isinstance(error, OSError):
                        faults.note(failed(viewer), error)
                    gone.append(viewer)
                    continue
                if taken != size:
                    behind.append((viewer, taken))
        for viewer, _ in behind:
            self.exit(viewer)
        self.cursor = burst.cursor
        return behind, gone


def failed(viewer: Viewer) -> str:
    """What to call a fault that its wire or codec raised: the same for all of one kind."""
    return f"a {type(viewer.wire).__name__} failed"


def offered(viewer: Viewer, data: Data) -> int:
    """How much the viewer's wire took; -1 when it is gone."""
    try:
        return viewer.wire.send(data)  # type: ignore[union-attr]  # whoever is offered something is attached
    except BlockingIOError:
        return 0
    except OSError:
        return -1
