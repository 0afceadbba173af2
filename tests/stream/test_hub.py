"""The hub over a store in memory: joining, refilling, the tail check, lingering and closing."""

from __future__ import annotations

import time

import pytest

from app.stream import hub as hubs
from app.stream import tailcheck
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable, Head
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import event
from tests.stream.wires import FakeWire, tick, view
from tests.support.system import wait_for

A, B = "task:a", "task:b"


def test_a_viewer_gets_what_comes_after_its_cursor(hub: Hub, store: FakeStore):
    store.add(A, 5)

    (_, early), (_, late), (_, live) = view(hub, A, 2), view(hub, A, 5), view(hub, A, None)
    publish(hub, store, A, 2)

    early.gets(3, 4, 5, 6, 7)
    late.gets(6, 7)
    live.gets(6, 7)


def test_a_stream_that_is_not_there_is_a_lookup_error(hub: Hub):
    with pytest.raises(LookupError):
        hub.watch("task:nowhere", 0)


def test_a_cursor_ahead_of_the_room_refreshes_it_first(hub: Hub, store: FakeStore):
    store.add(A, 2)
    _, behind = view(hub, A, 2)
    store.add(A, 3)

    _, ahead = view(hub, A, 5)

    behind.gets(3, 4, 5)
    assert ahead.whole == []
    publish(hub, store, A)
    tick(hub)
    ahead.gets(6)


def test_an_early_batch_waits_for_the_one_before_it(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tailcheck, "EARLY_SECONDS", 10)
    store.add(A)
    _, wire = view(hub, A, 1)
    first, second = store.add(A), store.add(A)
    asked = len(store.asked)

    hub.received(A, second, False)
    assert wire.whole == []
    hub.received(A, first, False)

    wire.gets(2, 3)
    assert len(store.asked) == asked


def test_what_stays_missing_is_refilled_once(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, wire = view(hub, A, 1)
    store.add(A)
    asked = len(store.asked)

    for _ in range(5):
        publish(hub, store, A)
    wait_for("the refill", lambda: viewer.room.head == 7 and not hub._rooms[A].refilling)
    tick(hub)

    wire.gets(2, 3, 4, 5, 6, 7)
    assert [what for what, _ in store.asked[asked:]].count("heads") <= 2


@pytest.mark.parametrize("connected", [True, False])
def test_a_lost_last_event_is_found_by_the_tail_check(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch, connected: bool
):
    monkeypatch.setattr(tailcheck, "TAIL_SECONDS", 0.2 if connected else 99)
    hub.subscription.connected = connected  # type: ignore[misc]
    store.add(A)
    hub.start()
    viewer, wire = view(hub, A, 1)
    hub.confirmed(A)
    store.add(A, 1, closes=True)

    wire.gets(2)
    wait_for("the end", lambda: viewer.closed == "ended")


def test_all_rooms_are_compared_in_one_query(hub: Hub, store: FakeStore):
    streams = [f"task:{n}" for n in range(50)]
    for stream in streams:
        store.add(stream)
        hub.watch(stream, 1)
    asked = len(store.asked)

    hub._tailcheck.compare(hub._tailcheck.due(True, True))

    assert [(what, sorted(about)) for what, about in store.asked[asked:]] == [("heads", sorted(streams))]


def test_a_room_is_polled_until_it_is_confirmed_and_compared_once_then(hub: Hub, store: FakeStore):
    store.add(A)
    hub.watch(A, 1)
    watched = hub._rooms[A]

    assert hub._tailcheck.due(False, hub.subscription.connected) == [watched]
    hub.confirmed(A)
    assert hub._tailcheck.due(False, hub.subscription.connected) == [watched]
    assert hub._tailcheck.due(False, hub.subscription.connected) == []
    hub.subscription.connected = False  # type: ignore[misc]
    assert hub._tailcheck.due(False, hub.subscription.connected) == []
    hub.subscription.connected = True  # type: ignore[misc]
    assert hub._tailcheck.due(False, hub.subscription.connected) == [watched]


def test_the_tail_check_outlives_an_outage(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tailcheck, "TAIL_SECONDS", 0.1)
    store.add(A)
    _, wire = view(hub, A, 1)
    store.away = True
    hub.start()
    wait_for("checks that failed", lambda: store.refused >= 2)
    with pytest.raises(DatabaseUnavailable):
        hub.watch(B, 0)

    store.away = False
    store.add(A)

    wire.gets(2)


def test_an_empty_room_lingers_and_is_swept(hub: Hub, store: FakeStore):
    store.add(A)
    viewer = hub.watch(A, 1)
    viewer.close()

    hub._sweep(time.monotonic() + hubs.LINGER_SECONDS - 1)
    assert hub.subscription.following == [A]  # type: ignore[attr-defined]
    hub._sweep(time.monotonic() + hubs.LINGER_SECONDS + 1)
    assert hub.subscription.following == []  # type: ignore[attr-defined]

    store.add(A, 2)
    view(hub, A, 1)[1].gets(2, 3)
    assert hub.subscription.following == [A]  # type: ignore[attr-defined]


def test_a_room_swept_while_somebody_joins_is_kept(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A)
    hub.watch(A, 1).close()
    store.add(A)
    heads = store.heads

    def swept_meanwhile(streams: list[str]) -> dict[str, Head]:
        hub._sweep(float("inf"))
        return heads(streams)

    monkeypatch.setattr(store, "heads", swept_meanwhile)
    _, wire = view(hub, A, 2)
    publish(hub, store, A)
    tick(hub)

    wire.gets(3)
    assert not hub._rooms[A].confirmed
    assert hub.subscription.following == [A]  # type: ignore[attr-defined]


def test_closing_by_session_closes_only_its_viewers(hub: Hub, store: FakeStore):
    store.add(A), store.add(B)
    wires = [FakeWire() for _ in range(3)]
    mine, also, other = hub.watch(A, 1, session_id="s"), hub.watch(B, 1, session_id="s"), hub.watch(A, 1)
    for viewer, wire in zip((mine, also, other), wires, strict=True):
        hub.attach(viewer, wire)

    hub.close_viewers("signed_out", "s")
    hub.close_viewers("too late", "s")
    publish(hub, store, A)

    assert [wire.lefts for wire in wires] == [["signed_out"], ["signed_out"], []]
    assert [wire.sequences for wire in wires] == [[], [], [2]] and hub.viewers() == [other]


def test_stopping_closes_all_viewers(hub: Hub, store: FakeStore):
    store.add(A)
    _, wire = view(hub, A, 1)
    unattached = hub.watch(A, 1)

    hub.stop()

    assert wire.lefts == ["draining"] and unattached.closed == "draining"


def test_what_nobody_watches_here_is_ignored(hub: Hub, store: FakeStore):
    hub.received(B, [event(B, 1)], False)
    hub.confirmed(B)

    assert store.asked == [] and hub.viewers() == []
