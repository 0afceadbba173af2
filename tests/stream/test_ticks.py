"""Ticks: a busy room sends once in a while with all that came, and rests as long as it must and no longer."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.stream import delivery as deliveries
from app.stream.hub import Hub
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import FakeWire, tick, view
from tests.support.system import wait_for

A, B = "task:a", "task:b"


@pytest.mark.usefixtures("busy")
def test_a_busy_room_sends_once_a_tick_with_all_that_came(hub: Hub, store: FakeStore):
    store.add(A)
    _, wire = view(hub, A, 1)
    publish(hub, store, A)
    wire.gets(2)

    for _ in range(5):
        publish(hub, store, A)
    assert len(wire.offered) == 1
    tick(hub)

    wire.gets(2, 3, 4, 5, 6, 7)
    assert len(wire.offered) == 2


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("cursor", [0, 1, 2, 3, None])
def test_who_arrives_between_two_ticks_misses_nothing_and_gets_nothing_twice(
    hub: Hub, store: FakeStore, cursor: int | None
):
    store.add(A)
    view(hub, A, 1)
    publish(hub, store, A), publish(hub, store, A)  # 2 was sent, 3 waits for the tick

    viewers = [view(hub, A, cursor) for _ in range(3)]
    first = 4 if cursor is None else cursor + 1
    for _, wire in viewers:
        wire.gets(*range(first, 4))
    publish(hub, store, A)
    viewers[1][0].close()
    tick(hub)
    publish(hub, store, A, 1, closes=True)
    tick(hub)

    for viewer, wire in (viewers[0], viewers[2]):
        wire.gets(*range(first, 6))
        wait_for("the end", lambda viewer=viewer: viewer.closed == "ended")
    assert viewers[1][1].sequences == list(range(first, 4))


class Dear(FakeWire):
    """Takes two ticks of the processor's time for whatever it is sent."""

    def send(self, data: Any) -> int:
        until = time.thread_time() + 2 * deliveries.TICK_SECONDS
        while time.thread_time() < until:
            pass
        return super().send(data)


def test_a_room_whose_flush_takes_longer_than_a_tick_rests_as_well(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise each message is sent on by itself, at a tick's price, and the room never catches up again."""
    monkeypatch.setattr(deliveries, "PAUSE", 1000.0)
    store.add(A)
    _, wire = view(hub, A, 1, Dear())
    publish(hub, store, A, 3)

    for _ in range(5):
        publish(hub, store, A)
    assert wire.sequences == [2, 3, 4]
    tick(hub)

    wire.gets(2, 3, 4, 5, 6, 7, 8, 9)
    assert len(wire.offered) == 2


def test_after_few_events_it_rests_for_less(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    """A quiet room whose machine stalled would else be late with every event until the rests fit between them."""
    monkeypatch.setattr(deliveries, "PAUSE", 1000.0)
    store.add(A)
    _, wire = view(hub, A, 1, Dear())
    hub.start()
    publish(hub, store, A)

    publish(hub, store, A)

    wait_for("the second", lambda: wire.sequences == [2, 3])


def test_what_comes_while_a_room_rests_waits_for_no_more_than_its_rest(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """A tick counted from the event on would end in the next event's rest, and delay that one as much."""
    store.add(A)
    _, wire = view(hub, A, 1)
    hub.start()
    publish(hub, store, A)
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 3600.0)
    hub._rooms[A].next_flush_at = time.monotonic() + 0.2

    publish(hub, store, A)

    wait_for("the end of the rest", lambda: wire.sequences == [2, 3])


@pytest.mark.usefixtures("busy")
def test_rooms_tick_each_for_itself(hub: Hub, store: FakeStore):
    store.add(A), store.add(B)
    (_, one), (_, other) = view(hub, A, 1), view(hub, B, 1)
    publish(hub, store, A), publish(hub, store, A)

    publish(hub, store, B)

    assert one.sequences == [2] and other.sequences == [2], "a quiet room waits for no tick"


@pytest.mark.usefixtures("busy")
def test_the_ticks_come_by_themselves(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    store.add(A)
    _, wire = view(hub, A, 1)
    for _ in range(9):
        publish(hub, store, A)
    assert wire.sequences == [2]

    monkeypatch.setattr(deliveries, "TICK_SECONDS", 0.01)
    hub._rooms[A].next_flush_at = time.monotonic() + 0.05
    hub.start()

    wire.gets(*range(2, 11))
    assert len(wire.offered) == 2


def test_a_lane_that_emptied_is_forgotten(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, _ = view(hub, A, 1)
    watched = hub._rooms[A]
    viewer.close()
    publish(hub, store, A)

    assert watched.cohorts == {} and watched.viewers == set()
    view(hub, A, 2)[1].gets()
    assert [cohort.cursor for cohorts in watched.cohorts.values() for cohort in cohorts] == [2]
