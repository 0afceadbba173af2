"""Flushes of large rooms: other threads run in the middle, and each viewer is sent everything once and in order."""

from __future__ import annotations

from collections import Counter

import pytest

from app.stream import delivery as deliveries
from app.stream import watched_room
from app.stream.codec import Filter
from app.stream.hub import Hub
from app.stream.viewer import Viewer
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import LINES, PARCELS, FakeWire, finish, go_on, view
from tests.support.system import wait_for

A, B = "task:a", "task:b"
COHORT = 5

Crowd = list[tuple[Viewer, FakeWire]]


@pytest.fixture(autouse=True)
def cut(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of a flush has a turn of its own; a tick comes when the test says so."""
    monkeypatch.setattr(watched_room, "COHORT_VIEWERS", COHORT)
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(deliveries, "PAUSE", 0.0)
    monkeypatch.setattr(deliveries, "SHORT_PAUSE", 0.0)
    monkeypatch.setattr(deliveries, "SLICE_SECONDS", -1.0)


@pytest.fixture
def crowd(hub: Hub, store: FakeStore) -> Crowd:
    """Twenty viewers of one filter, on two wires, and twenty that each have a filter of their own."""
    store.add(A)
    alike = [view(hub, A, 1, FakeWire(PARCELS) if number % 2 else None) for number in range(20)]
    filters = [Filter(frozenset({"log", f"a{number}"})) for number in range(20)]
    return alike + [view(hub, A, 1, filter=filter) for filter in filters]


def sent(crowd: Crowd) -> Counter[int]:
    return Counter(len(wire.sequences) for _, wire in crowd)


def test_a_cohort_is_served_in_one_turn_and_the_next_one_later(hub: Hub, store: FakeStore, crowd: Crowd):
    publish(hub, store, A, 3)
    assert sent(crowd) == {3: COHORT, 0: len(crowd) - COHORT}
    assert hub.lag == 3

    go_on(hub)
    assert sent(crowd)[3] == 2 * COHORT
    finish(hub)

    assert sent(crowd) == {3: len(crowd)} and hub.lag == 0
    assert all(viewer.cohort is not None for viewer, _ in crowd)


def test_what_is_published_in_the_middle_comes_after_it_and_to_all(hub: Hub, store: FakeStore, crowd: Crowd):
    publish(hub, store, A, 2)
    go_on(hub)
    publish(hub, store, A, 1)
    publish(hub, store, A, 1, closes=True)
    assert sent(crowd)[2] == 2 * COHORT

    finish(hub)
    assert all(viewer.cohort and not wire.controls for viewer, wire in crowd), "the end is left to the next"
    hub._delivery._tick(float("inf"))
    finish(hub)

    for viewer, wire in crowd:
        assert (wire.sequences, wire.controls) == ([2, 3, 4, 5], [("end", 5)])
        assert viewer.closed == "ended"


@pytest.mark.parametrize("cursor", [0, 1, 2, 3, None])
def test_who_comes_and_goes_in_the_middle_misses_nothing_and_gets_nothing_twice(
    hub: Hub, store: FakeStore, crowd: Crowd, cursor: int | None
):
    publish(hub, store, A, 2)
    go_on(hub)
    gone = crowd[:7]
    for viewer, _ in gone:
        viewer.close()
    new = [
        view(hub, A, cursor, filter=filter)
        for filter in (Filter(), Filter(), Filter(frozenset({"log", "a1"})))
    ]
    go_on(hub)
    publish(hub, store, A, 1)
    finish(hub)
    hub._delivery._tick(float("inf"))
    finish(hub)
    publish(hub, store, A, 1)
    finish(hub)

    for _, wire in crowd[7:]:
        wire.gets(2, 3, 4, 5)
    for _, wire in gone:
        assert wire.sequences in ([], [2, 3])
    for viewer, wire in new:
        wire.gets(*range(4 if cursor is None else cursor + 1, 6))
        assert viewer.cohort is not None


def test_a_tick_that_finds_a_flush_of_the_listener_lets_it_end_first(
    hub: Hub, store: FakeStore, crowd: Crowd
):
    watched = hub._rooms[A]
    publish(hub, store, A, 2)
    new = [view(hub, A, 1) for _ in range(5)]  # they enter after the flush, one in each turn
    publish(hub, store, A, 1)

    while go_on(hub):
        hub._delivery._flush(watched)
    hub._delivery._tick(float("inf"))
    finish(hub)

    for viewer, wire in [*crowd, *new]:
        wire.gets(2, 3, 4)
        assert viewer.cohort is not None


def test_the_end_of_a_room_is_told_to_one_viewer_after_the_other(hub: Hub, store: FakeStore, crowd: Crowd):
    publish(hub, store, A, 1, closes=True)
    told = 0
    for _ in range(30):
        before, told = told, sum(viewer.closed == "ended" for viewer, _ in crowd)
        assert told - before <= 1
        go_on(hub)
    assert 0 < told < len(crowd)
    late = view(hub, A, 1)

    finish(hub)

    for viewer, wire in [*crowd, late]:
        assert (wire.sequences, wire.controls, viewer.closed) == ([2], [("end", 2)], "ended")


def test_after_a_rewind_nobody_is_sent_an_event_before_its_resync(hub: Hub, store: FakeStore, crowd: Crowd):
    publish(hub, store, A, 3)
    go_on(hub)
    assert sent(crowd) == {3: 2 * COHORT, 0: len(crowd) - 2 * COHORT}
    store.events[A] = store.events[A][:1]  # a restore that lost three commits

    hub._tailcheck.compare(hub._tailcheck.due(True, True))
    resynced = sum(bool(wire.controls) for _, wire in crowd)
    publish(hub, store, A, 1)

    assert 0 < resynced < len(crowd)
    assert all(wire.controls or len(wire.sequences) in (0, 3) for _, wire in crowd)
    finish(hub)
    hub._delivery._tick(float("inf"))
    finish(hub)
    publish(hub, store, A, 1)
    finish(hub)
    for viewer, wire in crowd:
        (kind, content), *others = wire.controls
        assert kind == "resync" and content["head"] == 1 and not others
        assert wire.sequences in ([2, 3], [2, 3, 4, 2, 3]) and viewer.cohort is not None


def test_a_room_that_jumps_in_the_middle_is_read_from_postgres(
    hub: Hub, store: FakeStore, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
):
    publish(hub, store, A, 2)
    store.add(A, 600)
    hub._tailcheck.compare(hub._tailcheck.due(True, True))
    finish(hub)
    hub._delivery._tick(float("inf"))
    finish(hub)

    for _, wire in crowd:
        wire.gets(*range(2, 604))


def test_who_falls_behind_and_comes_back_before_its_turn_gets_nothing_twice(
    hub: Hub, store: FakeStore, crowd: Crowd
):
    publish(hub, store, A, 2)
    viewer, wire = crowd[-1]
    assert wire.sequences == []

    interrupted(hub, viewer, wire)
    wire.gets(2, 3)
    finish(hub)
    publish(hub, store, A, 1)
    finish(hub)

    wire.gets(2, 3, 4)


def test_who_left_a_cohort_that_is_dissolved_goes_its_own_way(hub: Hub, store: FakeStore, crowd: Crowd):
    cohort = crowd[0][0].cohort
    assert cohort is not None
    store.add(A, 600)
    hub._tailcheck.compare(hub._tailcheck.due(True, True))
    viewer, wire = next(one for one in crowd if one[0].cohort is cohort)

    interrupted(hub, viewer, wire)
    wire.gets(*range(2, 602))
    finish(hub)
    hub._delivery._tick(float("inf"))
    finish(hub)

    for _, wire in crowd:
        wire.gets(*range(2, 602))


def interrupted(hub: Hub, viewer: Viewer, wire: FakeWire) -> None:
    """The viewer's connection takes half of a keep-alive, and a moment later the rest and more."""
    wire.capacity = 5
    hub.send_control(viewer, lambda cursor: LINES.words("still here"))
    assert viewer.cohort is None
    wire.drain()


def test_a_large_room_does_not_delay_the_flush_of_another(hub: Hub, store: FakeStore, crowd: Crowd):
    store.add(B)
    _, other = view(hub, B, 1)
    publish(hub, store, A, 1)

    publish(hub, store, B, 1)

    assert other.sequences == [2] and sent(crowd)[0] > 0


def test_ticks_go_on_with_a_flush_and_serve_rooms_in_turns(
    hub: Hub, store: FakeStore, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
):
    store.add(B)
    others = [view(hub, B, 1) for _ in range(20)]
    order: list[str] = []
    go_on_with = hub._delivery._go_on

    def noted(watched: watched_room.WatchedRoom) -> None:
        order.append(watched.room.stream)
        go_on_with(watched)

    publish(hub, store, A, 1), publish(hub, store, B, 1)
    monkeypatch.setattr(hub._delivery, "_go_on", noted)
    hub.start()

    wait_for("all", lambda: sent(crowd) == {1: len(crowd)} and sent(others) == {1: len(others)})
    assert order[:6] == [A, B, A, B, A, B]


def test_cohorts_are_filled_again(hub: Hub, store: FakeStore):
    store.add(A)
    crowd = [view(hub, A, 1) for _ in range(3 * COHORT)]
    for viewer, _ in crowd[: COHORT - 1] + crowd[COHORT : 2 * COHORT]:
        viewer.close()

    more = [view(hub, A, 1) for _ in range(COHORT)]

    (cohorts,) = hub._rooms[A].cohorts.values()
    assert [len(cohort.viewers) for cohort in cohorts] == [COHORT, COHORT, 1]
    publish(hub, store, A)
    finish(hub)
    for _, wire in more:
        wire.gets(2)
