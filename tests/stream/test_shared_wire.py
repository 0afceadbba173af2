"""Two rooms on one wire: what one viewer has begun, no other may cut."""

from __future__ import annotations

import pytest

from app.stream.hub import Hub
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import FakeWire, view

A, B = "task:a", "task:b"

pytestmark = pytest.mark.usefixtures("quiet")


def of(wire: FakeWire, stream: str) -> list[int]:
    return [number for kind, number, content in wire.whole if kind == "event" and content["stream"] == stream]


@pytest.fixture(autouse=True)
def streams(store: FakeStore) -> None:
    store.add(A), store.add(B)


def test_while_one_owes_the_other_is_parked_at_its_cursor(hub: Hub, store: FakeStore):
    wire = FakeWire(capacity=10)
    first, second = view(hub, A, 1, wire)[0], view(hub, B, 1, wire)[0]

    publish(hub, store, A, 2)
    wire.capacity = 50
    publish(hub, store, B, 2)

    assert (first.cursor, second.cursor, second.cohort) == (2, 1, None)
    assert len(wire.torn) == 10, "the other did not write into it"
    wire.drain()
    assert of(wire, A) == of(wire, B) == [2, 3]
    publish(hub, store, A), publish(hub, store, B)
    assert of(wire, A) == of(wire, B) == [2, 3, 4]


def test_whoever_is_ready_first_finishes_the_frame_of_the_other(hub: Hub, store: FakeStore):
    wire = FakeWire(capacity=10)
    first, second = view(hub, A, 1, wire)[0], view(hub, B, 1, wire)[0]
    publish(hub, store, A), publish(hub, store, B)

    wire.capacity = 1_000_000
    second.ready()
    assert of(wire, A) == of(wire, B) == [2]
    first.ready()

    publish(hub, store, A)
    assert of(wire, A) == [2, 3]


def test_a_frame_that_was_begun_is_finished_though_its_viewer_left(hub: Hub, store: FakeStore):
    wire = FakeWire(capacity=10)
    first, _ = view(hub, A, 1, wire)[0], view(hub, B, 1, wire)[0]
    publish(hub, store, A, 2), publish(hub, store, B)

    first.close()
    wire.drain()

    assert of(wire, A) == [2] and of(wire, B) == [2]


def test_the_end_of_one_room_leaves_the_other_open(hub: Hub, store: FakeStore):
    wire = FakeWire(capacity=10)
    first, second = view(hub, A, 1, wire)[0], view(hub, B, 1, wire)[0]
    publish(hub, store, A, 1, closes=True)

    wire.drain()
    publish(hub, store, B)

    assert (first.closed, second.closed) == ("ended", None)
    assert of(wire, A) == of(wire, B) == [2] and wire.controls == [("end", 2)]


def test_what_the_wire_takes_for_one_room_is_progress_for_all(hub: Hub, store: FakeStore):
    """Else a client that is slow and not stalled is cut, because its other room had all it took."""
    wire = FakeWire(capacity=0)
    first, second = view(hub, A, 1, wire)[0], view(hub, B, 1, wire)[0]
    publish(hub, store, A, 9), publish(hub, store, B, 9)
    at, limit = first.progress_at, hub._catchup._stalled_seconds
    first.progress_at = second.progress_at = at - limit - 1

    wire.capacity = 5
    first.ready()
    hub._catchup.sweep(at)

    assert (first.closed, second.closed) == (None, None)
