"""A cohort: one buffer offered to all who stand at one cursor."""

from __future__ import annotations

from app.stream.codec import Data, Filter
from app.stream.encoded_batch import EncodedBatch
from app.stream.faults import Faults
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer
from tests.stream.helpers import event
from tests.stream.wires import LINES, FakeWire

STREAM = "task:a"


class Abrupt(FakeWire):
    """Closes its viewer while it is written to, as a library does that finds out that the client has gone."""

    viewer: Viewer

    def send(self, data: Data) -> int:
        self.viewer.close("gone")
        return 0


def cohort_of(*wires: FakeWire, cursor: int = 0) -> tuple[Cohort, list[Viewer]]:
    room, cohort = Room(STREAM, 9, 0, False), Cohort(LINES, Filter(), cursor)
    viewers = [viewer_on(room, cohort) for _ in wires]
    for viewer, wire in zip(viewers, wires, strict=True):
        viewer.wire = wire
    return cohort, viewers


class NoHub:
    """Takes a closed viewer out of its cohort."""

    def advance(self, viewer: Viewer) -> None: ...

    def close(self, viewer: Viewer, reason: str) -> None:
        if viewer.cohort:
            viewer.cohort.exit(viewer)


def viewer_on(room: Room, cohort: Cohort) -> Viewer:
    viewer = Viewer(NoHub(), room, cohort.cursor, Filter(), "", None)
    cohort.enter(viewer)
    return viewer


def batch(first: int, last: int) -> EncodedBatch:
    return EncodedBatch.of([event(STREAM, n) for n in range(first, last + 1)], LINES, Filter())


def test_all_take_the_same_object_and_move_on_together():
    wires = [FakeWire() for _ in range(3)]
    cohort, viewers = cohort_of(*wires)
    given = batch(1, 3)

    assert cohort.send(given, Faults()) == ([], [])

    assert all(wire.offered == [given.data] and wire.offered[0] is given.data for wire in wires)
    assert [v.cursor for v in viewers] == [3, 3, 3] and cohort.viewers == set(viewers)


def test_who_takes_less_goes_alone_from_where_it_stood():
    full, part, none, gone = FakeWire(), FakeWire(capacity=5), FakeWire(capacity=0), FakeWire()
    gone.gone = True
    cohort, viewers = cohort_of(full, part, none, gone)

    behind, lost = cohort.send(batch(1, 3), Faults())

    assert dict(behind) == {viewers[1]: 5, viewers[2]: 0} and lost == [viewers[3]]
    assert [v.cohort for v in viewers[:3]] == [cohort, None, None]
    assert (viewers[1].cursor, viewers[2].cursor, cohort.cursor) == (0, 0, 3)


def test_an_empty_burst_is_offered_to_nobody():
    wire = FakeWire(capacity=0)
    cohort, viewers = cohort_of(wire)
    filtered = EncodedBatch.of([event(STREAM, 1)], LINES, Filter(types=frozenset({"task_status"})))

    assert cohort.send(filtered, Faults()) == ([], [])
    assert wire.offered == [] and viewers[0].cursor == 1


def test_viewers_that_are_closed_by_their_own_write_harm_nobody():
    wires, abrupt = [FakeWire() for _ in range(5)], [Abrupt() for _ in range(5)]
    cohort, viewers = cohort_of(*wires, *abrupt)
    for wire, viewer in zip(abrupt, viewers[5:], strict=True):
        wire.viewer = viewer

    cohort.send(batch(1, 3), Faults())

    assert all(wire.sequences == [1, 2, 3] for wire in wires)
    assert cohort.viewers == set(viewers[:5])
