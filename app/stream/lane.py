"""A lane: the viewers of one format and filter that stand at one cursor, so that one buffer serves them all."""

from __future__ import annotations

from app.stream.burst import Burst, Codec, Data, Filter
from app.stream.faults import Faults
from app.stream.viewer import Viewer


class Lane:
    __slots__ = ("codec", "cursor", "filter", "viewers")

    def __init__(self, codec: Codec, filter: Filter, cursor: int) -> None:
        self.codec, self.filter, self.cursor = codec, filter, cursor
        self.viewers: set[Viewer] = set()

    @property
    def key(self) -> tuple[Codec, Filter]:
        return self.codec, self.filter

    def enter(self, viewer: Viewer) -> None:
        viewer.lane = self
        self.viewers.add(viewer)

    def exit(self, viewer: Viewer) -> None:
        """The viewer goes on alone, from here."""
        self.viewers.discard(viewer)
        viewer.start, viewer.lane = self.cursor, None

    def send(self, burst: Burst, faults: Faults) -> tuple[list[tuple[Viewer, int]], list[Viewer]]:
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
