"""A viewer: a cursor in a room, a filter and a wire; nothing is queued for it. Its cohort; and what a wire is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.stream.codec import Codec, Data, Filter
from app.stream.encoded_batch import EncodedBatch
from app.stream.faults import Faults
from app.stream.initial_state import InitialState
from app.stream.resync import Resync
from app.stream.room import Room


class Wire(Protocol):
    """A connection as the hub writes to it: without waiting, and never in the middle of another viewer's frame.

    Several viewers may share a wire. OSError means that the connection is gone; any other exception is treated the
    same and logged.
    """

    progress_at: float  # monotonic time at which it last took something, kept while a viewer of it is parked

    @property
    def codec(self) -> Codec: ...

    @property
    def unsent(self) -> int:
        """The length of the unsent remainder of a frame."""

    def send(self, data: Data) -> int:
        """Returns how much of the data was taken. Returns 0 or raises BlockingIOError when nothing was taken. While a
        remainder is unsent, the hub offers nothing to a wire of one viewer; a shared wire must return 0 then."""

    def hold_remainder(self, remainder: Data) -> None:
        """Keeps the rest of a frame that is partly sent; the wire sends it before it takes anything else."""

    def send_remainder(self) -> bool:
        """Sends the remainder as far as the connection takes it; True when nothing of it is left."""

    def call_when_writable(self, viewer: Viewer) -> None:
        """Calls ``viewer.ready()`` once when the connection takes more."""

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        """The viewer was closed for that reason; the wire tells its client in its own way."""


class ViewerHub(Protocol):
    """The hub, as its viewers see it."""

    def advance(self, viewer: Viewer) -> None: ...

    def close(self, viewer: Viewer, reason: str) -> None: ...


@dataclass(slots=True, eq=False)
class Viewer:
    """Stands in a room at ``cursor``: in a cohort while it keeps up, else alone, catching up."""

    hub: ViewerHub
    room: Room
    own_cursor: int  # while it stands in no cohort
    filter: Filter
    session_id: str
    resync: Resync | None
    wire: Wire | None = None
    initial: InitialState | None = None  # sent before anything after the cursor
    cohort: Cohort | None = None
    end_begun: bool = False  # the end frame is sent, at least partly: nothing but its remainder is to be sent
    closed: str | None = None

    @property
    def cursor(self) -> int:
        """The last sequence that was sent or filtered out; a frame that is partly sent counts as sent."""
        return self.own_cursor if self.cohort is None else self.cohort.cursor

    @property
    def progress_at(self) -> float:
        return self.wire.progress_at if self.wire is not None else 0.0

    @progress_at.setter
    def progress_at(self, at: float) -> None:
        if self.wire is not None:
            self.wire.progress_at = at

    def ready(self) -> None:
        """Its wire takes more."""
        self.hub.advance(self)

    def close(self, reason: str = "closed") -> None:
        """Takes the viewer out of its room and tells its wire; safe to call twice and from any thread."""
        self.hub.close(self, reason)


class Cohort:
    """The viewers of one format and filter that stand at one cursor: one buffer serves them all."""

    __slots__ = ("codec", "cursor", "filter", "viewers")

    def __init__(self, codec: Codec, filter: Filter, cursor: int) -> None:
        self.codec, self.filter, self.cursor = codec, filter, cursor
        self.viewers: set[Viewer] = set()

    def enter(self, viewer: Viewer) -> None:
        viewer.cohort = self
        self.viewers.add(viewer)

    def exit(self, viewer: Viewer) -> None:
        """The viewer goes on alone from the cohort's cursor."""
        self.viewers.discard(viewer)
        viewer.own_cursor, viewer.cohort = self.cursor, None

    def send(self, batch: EncodedBatch, faults: Faults) -> tuple[list[tuple[Viewer, int]], list[Viewer]]:
        """Offers the batch to all viewers and moves on. Returns the viewers that took only a part of it, with how much
        that was, and the viewers that are gone."""
        data, size = batch.data, len(batch.data)
        behind: list[tuple[Viewer, int]] = []
        gone: list[Viewer] = []
        if size:  # a filter may have passed no event
            for viewer in list(self.viewers):  # a wire may find out that its socket is closed, and leave
                try:  # as ``offered``, but a call for each viewer and tick is a tenth of what Python costs here
                    taken = viewer.wire.send(data)  # type: ignore[union-attr]
                except BlockingIOError:
                    taken = 0
                except Exception as error:  # the fault of one wire must end its viewer alone
                    if not isinstance(error, OSError):
                        faults.note(failed(viewer), error)
                    gone.append(viewer)
                    continue
                if taken != size:
                    behind.append((viewer, taken))
        for viewer, _ in behind:
            self.exit(viewer)
        self.cursor = batch.cursor
        return behind, gone


def failed(viewer: Viewer) -> str:
    """What to call a fault of the viewer's wire or codec: the same for all of one kind."""
    return f"a {type(viewer.wire).__name__} failed"


def offered(viewer: Viewer, data: Data) -> int:
    """Offers the data to the viewer's wire, which it has; returns how much was taken, -1 when the wire is gone."""
    try:
        return viewer.wire.send(data)  # type: ignore[union-attr]
    except BlockingIOError:
        return 0
    except OSError:
        return -1
