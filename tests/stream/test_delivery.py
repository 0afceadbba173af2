"""Wires that take less than all: what was begun is finished, nothing comes twice, and nobody else waits."""

from __future__ import annotations

import time

import pytest

from app.stream import delivery as deliveries
from app.stream import room as rooms
from app.stream.hub import Hub
from app.stream.watched_room import WatchedRoom
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import event
from tests.stream.wires import LINES, PARCELS, FakeWire, view
from tests.support.system import wait_for

A = "task:a"

pytestmark = pytest.mark.usefixtures("quiet")


def size(sequence: int) -> int:
    return len(LINES.frame(event(A, sequence)))


def test_cut_in_the_middle_of_a_frame_only_its_rest_is_owed(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=size(2) + 10))

    publish(hub, store, A, 3)
    assert (wire.sequences, len(wire.torn), wire.unsent) == ([2], 10, size(3) - 10)
    assert viewer.cursor == 3 and viewer.cohort is None
    wire.drain(7)
    assert (wire.sequences, len(wire.torn), wire.unsent) == ([2], 17, size(3) - 17)
    wire.drain(size(3) - 17)
    assert (wire.sequences, wire.torn, wire.unsent) == ([2, 3], "", 0)
    wire.drain()

    wire.gets(2, 3, 4)
    assert viewer.cohort is not None and not hub._catchup.parking


@pytest.mark.parametrize("refuses", [True, False])
def test_cut_between_two_frames_nothing_is_owed(hub: Hub, store: FakeStore, refuses: bool):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=size(2), refuses=refuses))
    full, full_wire = view(hub, A, 1, FakeWire(capacity=0, refuses=refuses))

    publish(hub, store, A, 3)

    assert (wire.sequences, wire.torn, wire.unsent, viewer.cursor) == ([2], "", 0, 2)
    assert (full_wire.sequences, full_wire.unsent, full.cursor) == ([], 0, 1)
    wire.drain(), full_wire.drain()
    wire.gets(2, 3, 4)
    full_wire.gets(2, 3, 4)


def test_cut_at_any_byte_everything_arrives_once(hub: Hub, store: FakeStore):
    store.add(A)
    wires = [view(hub, A, 1, FakeWire(capacity=n))[1] for n in range(3 * size(2) + 1)]

    publish(hub, store, A, 3)
    assert len({wire.unsent for wire in wires}) == size(2), "each place in a frame was tried"
    for wire in wires:
        wire.drain()

    publish(hub, store, A)
    for wire in wires:
        wire.gets(2, 3, 4, 5)


@pytest.mark.parametrize("step", [1, 60, 1000])
def test_a_wire_that_dribbles_gets_everything(hub: Hub, store: FakeStore, step: int):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=0))
    publish(hub, store, A, 12)

    while wire.waiting:
        wire.drain(step)

    wire.gets(*range(2, 14))
    assert viewer.cohort is not None


def test_packets_are_taken_some_at_a_time(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(PARCELS, capacity=2))

    publish(hub, store, A, 5)
    assert (wire.sequences, wire.unsent, viewer.cursor) == ([2, 3], 0, 3)
    wire.drain(2)
    assert wire.sequences == [2, 3, 4, 5]
    wire.drain()

    wire.gets(2, 3, 4, 5, 6)


def test_a_parked_viewer_resumes_from_the_ring_without_a_query(hub: Hub, store: FakeStore):
    store.add(A)
    _, wire = view(hub, A, 1, FakeWire(capacity=10))
    for _ in range(40):
        publish(hub, store, A)
    asked = len(store.asked)

    wire.drain()

    wire.gets(*range(2, 42))
    assert len(store.asked) == asked


def test_a_parked_viewer_that_the_ring_has_left_behind_resumes_from_postgres(hub: Hub, store: FakeStore):
    store.add(A)
    _, slow = view(hub, A, 1, FakeWire(capacity=10))
    _, quick = view(hub, A, 1)
    for _ in range(rooms.RING_EVENTS + 50):
        publish(hub, store, A)
    quick.gets(*range(2, rooms.RING_EVENTS + 52))
    assert store.queries("after") == 0

    slow.drain()

    slow.gets(*range(2, rooms.RING_EVENTS + 52))
    assert store.queries("after") <= 2


def test_a_slow_viewer_changes_nothing_for_the_others(hub: Hub, store: FakeStore):
    store.add(A)
    _, slow = view(hub, A, 1, FakeWire(capacity=size(2) + 1))
    _, stuck = view(hub, A, 1, FakeWire(capacity=0))
    _, quick = view(hub, A, 1)
    _, alone = view(hub, A, 1)
    for _ in range(5):
        publish(hub, store, A)
        slow.drain(30)

    quick.gets(2, 3, 4, 5, 6)
    alone.gets(2, 3, 4, 5, 6)
    assert len(quick.offered) == len(alone.offered) == 5
    assert len(stuck.offered) == 1, "who takes nothing is not asked again until it says so"


@pytest.mark.parametrize("capacity", [1, 5, 60, 120])
@pytest.mark.parametrize("what", ["resync", "first"])
def test_nothing_is_written_into_what_was_begun_before_the_events(
    hub: Hub, store: FakeStore, capacity: int, what: str
):
    """Its socket takes more between two calls, as sockets do."""
    store.add(A, 3)

    class Refilled(FakeWire):
        def hold_remainder(self, rest):  # type: ignore[no-untyped-def]
            super().hold_remainder(rest)
            self.capacity = 20

    wire = Refilled(capacity=capacity, raw=True)
    view(hub, A, 9 if what == "resync" else 3, wire, first=[event(A, 1)] if what == "first" else ())
    publish(hub, store, A, 2)
    wire.drain()

    wire.gets(*([4, 5] if what == "resync" else [1, 4, 5]))


def test_the_last_word_is_sent_whole_before_the_viewer_leaves(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=size(2) + 3))
    publish(hub, store, A, 1, closes=True)

    assert wire.torn == "end" and viewer.closed is None
    wire.drain(2)
    assert wire.torn == "end 2" and viewer.closed is None
    wire.drain()

    assert wire.whole[-1] == ("end", 2, 2) and viewer.closed == "ended" and wire.lefts == ["ended"]


def test_a_wire_that_breaks_while_it_owes_leaves(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=10))
    publish(hub, store, A)
    wire.gone = True

    wire.drain()

    assert viewer.closed == "gone" and wire.lefts == ["gone"] and hub.viewers() == []


def test_words_go_to_those_who_keep_up(hub: Hub, store: FakeStore):
    store.add(A)
    words = LINES.words("still here")
    keeps, none, some, parked, gone = (view(hub, A, 1, FakeWire(capacity=n)) for n in (999, 0, 5, 0, 999))
    parked[0].cohort.exit(parked[0])  # type: ignore[union-attr]
    gone[1].gone = True

    for viewer, _ in (keeps, none, some, parked, gone):
        hub.send_control(viewer, lambda cursor: words)

    assert keeps[1].controls == [("words", "still here")]
    assert none[1].whole == [] and none[0].cohort is not None, "a full wire hears the next one"
    assert (some[1].torn, some[1].unsent, some[0].cohort) == ("words", len(words) - 5, None)
    assert parked[1].offered == [] and gone[0].closed == "gone"
    some[1].drain()
    publish(hub, store, A)
    assert [kind for kind, _, _ in some[1].whole] == ["words", "event"]


def test_who_takes_nothing_for_too_long_is_dropped_and_who_takes_something_is_not(hub: Hub, store: FakeStore):
    store.add(A)
    limit = hub._catchup._stalled_seconds
    stalled, wire = view(hub, A, 1, FakeWire(capacity=0))
    dribbles, other = view(hub, A, 1, FakeWire(capacity=0))
    keeps_up, _ = view(hub, A, 1)
    publish(hub, store, A, 9)
    at = stalled.progress_at
    stalled.progress_at = dribbles.progress_at = at - limit + 1

    hub._catchup.sweep(at + 0.5)
    assert stalled.closed is None
    other.drain(5)
    hub._catchup.sweep(at + 1.5)

    assert (stalled.closed, wire.lefts) == ("stalled", ["stalled"])
    assert dribbles.closed is None and keeps_up.closed is None
    assert stalled not in hub._catchup.parking


@pytest.mark.parametrize("why", ["closes", "jumps"])
def test_who_kept_up_for_long_is_not_taken_for_stalled_at_its_first_refusal(
    hub: Hub, store: FakeStore, why: str
):
    store.add(A)
    viewer, wire = view(hub, A, 1, FakeWire(capacity=0))
    viewer.progress_at -= 1000  # it came long ago, and the room was quiet since
    if why == "closes":
        store.closed.add(A)
    else:
        store.add(A, rooms.RING_EVENTS + 1)
    hub._tailcheck.compare([hub._rooms[A]])
    wait_for("it to be parked", lambda: viewer in hub._catchup.parking)

    hub._catchup.sweep(time.monotonic())

    assert viewer.closed is None
    wire.drain()
    wait_for("the rest", lambda: viewer.closed if why == "closes" else viewer.cohort)


def test_a_fault_in_one_room_does_not_end_the_ticks_of_the_others(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 3600.0)
    streams = [f"task:{n}" for n in range(6)]
    wires = []
    for stream in streams:
        store.add(stream)
        wires.append(view(hub, stream, 1)[1])
        publish(hub, store, stream)
    flush, failed = hub._delivery._flush, []

    def fails_for_one(watched: WatchedRoom) -> None:
        if watched.room.stream == A and not failed:
            failed.append(watched)
            raise SystemError("as asked")
        flush(watched)

    store.add(A)
    _, broken = view(hub, A, 1)
    publish(hub, store, A)
    monkeypatch.setattr(hub._delivery, "_flush", fails_for_one)
    for stream in (*streams, A):
        publish(hub, store, stream)
    assert len(hub._delivery._busy) == len(streams) + 1
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 0.01)
    for watched in hub._delivery._busy:
        watched.next_flush_at = 0.0
    hub.start()

    for wire in wires:
        wire.gets(2, 3)
    wait_for("the fault", lambda: failed)
    publish(hub, store, A)
    broken.gets(2, 3, 4)
