"""What a hub counts: each event once for each viewer that got it, however it got it."""

from __future__ import annotations

import pytest

from app.stream.codec import Filter
from app.stream.hub import Hub
from app.stream.metrics import COUNTED_TYPES, OTHER, EventCounts
from tests.stream.fakes import FakeStore, at_once, hub_over, publish
from tests.stream.helpers import event
from tests.stream.wires import FakeWire, Lines, Parcels, view

A = "task:a"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    at_once(monkeypatch)
    return FakeStore()


@pytest.fixture
def hub(store: FakeStore) -> Hub:
    store.add(A)
    return hub_over(store)


def logs(hub: Hub) -> int:
    return hub.metrics.sent_by(Lines).of["log"]


def test_a_burst_counts_for_each_viewer_that_takes_it(hub: Hub, store: FakeStore) -> None:
    wires = [view(hub, A, 1)[1] for _ in range(3)]

    publish(hub, store, A, 4)

    assert all(wire.sequences == [2, 3, 4, 5] for wire in wires)
    assert logs(hub) == 3 * 4
    assert hub.metrics.fell_behind == 0


def test_what_is_caught_up_with_counts_as_what_comes_live(hub: Hub, store: FakeStore) -> None:
    publish(hub, store, A, 9)

    _, late = view(hub, A, 0)
    late.gets(*range(1, 11))

    assert logs(hub) == 10


def test_who_takes_a_part_is_counted_for_what_it_got_and_no_event_twice(hub: Hub, store: FakeStore) -> None:
    for capacity in range(0, 400, 37):
        before = logs(hub)
        viewer, slow = view(hub, A, None, FakeWire(capacity=capacity))
        publish(hub, store, A, 5)
        begun = len(slow.sequences) + bool(slow.torn)
        assert logs(hub) - before == begun

        slow.drain()

        assert len(slow.sequences) == 5 and logs(hub) - before == 5
        viewer.close()
    assert hub.metrics.fell_behind > 0
    assert hub.metrics.ended == {"closed": 11}


def test_what_a_filter_keeps_back_and_who_is_gone_are_not_counted(hub: Hub, store: FakeStore) -> None:
    view(hub, A, 1, filter=Filter(types=frozenset({"task_status"})))
    gone, wire = view(hub, A, 1)
    wire.gone = True

    publish(hub, store, A, 3)

    assert logs(hub) == 0
    assert gone.closed == "gone" and hub.metrics.ended == {"gone": 1}


def test_what_a_viewer_is_told_first_counts(hub: Hub) -> None:
    _, wire = view(hub, A, 1, first=[event(A, 1)])

    assert wire.sequences == [1] and logs(hub) == 1


def test_formats_are_counted_apart_and_with_those_derived_from_them(hub: Hub, store: FakeStore) -> None:
    class Derived(Lines): ...

    view(hub, A, 1)
    view(hub, A, 1, FakeWire(Derived()))
    view(hub, A, 1, FakeWire(Parcels()))

    publish(hub, store, A)

    assert sum(hub.metrics.sent_by(Parcels).of.values()) == 1
    assert sum(hub.metrics.sent_by(Lines).of.values()) == 3, "the parcels' class is derived from it too"


def test_types_that_anybody_may_make_up_are_one() -> None:
    types = EventCounts()

    types.add(["log", "my.own", "my.other"], 2)

    assert (types.of["log"], types.of[OTHER], sum(types.of.values())) == (2, 4, 6)
    assert set(types.of) == {*COUNTED_TYPES, OTHER}
