"""What a look at Postgres says of a stream: it may be older than the question, and a head may have gone back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from app.stream.event import Event
from app.stream.hub import Hub
from app.stream.store import Head
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import Passages
from tests.stream.wires import FakeWire, view
from tests.support.system import wait_for

A = "task:a"


def test_a_look_that_is_older_than_the_pruning_makes_no_hole(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """Whoever asks while a look is under way is given that one, which cannot know of what was pruned since."""
    store.add(A, 9)
    viewer, heads, gate = hub.watch(A, 2), store.heads, threading.Event()

    def held_back(streams: Sequence[str]) -> dict[str, Head]:
        found = heads(streams)
        assert gate.wait(60)
        return found

    passages = Passages(hub._tailcheck._single_flight)
    monkeypatch.setattr(store, "heads", held_back)
    threading.Thread(target=hub._tailcheck.refresh, args=(hub._rooms[A],), daemon=True).start()
    wait_for("the look", lambda: passages.count == 1 and store.queries("heads") == 2)
    store.pruned[A] = 6
    wire = FakeWire()
    hub.attach(viewer, wire)
    wait_for("the viewer to wait for it", lambda: passages.count == 2)

    gate.set()

    wire.gets(7, 8, 9)
    assert wire.controls == [("resync", {"stream": A, "reason": "pruned", "oldest": 7, "head": 9})]


def lose(store: FakeStore, last: int) -> None:
    """A restore that lost all commits after that one."""
    del store.events[A][last:]
    store.closed.discard(A)


def compare(hub: Hub) -> None:
    hub._tailcheck.compare(hub._tailcheck.due(True, True))


def anew(head: int) -> tuple[str, dict[str, object]]:
    return "resync", {"stream": A, "reason": "beyond_head", "oldest": 1, "head": head}


@pytest.mark.usefixtures("quiet")
def test_a_room_whose_stream_went_back_tells_its_viewers_and_goes_on(hub: Hub, store: FakeStore):
    store.add(A, 5)
    (viewer, keeps_up), (_, slow) = view(hub, A, 5), view(hub, A, 5, FakeWire(capacity=0))
    publish(hub, store, A, 3)
    lose(store, 6)

    compare(hub)
    publish(hub, store, A, 2)
    slow.drain()

    keeps_up.gets(6, 7, 8, 7, 8)
    slow.gets(7, 8)
    assert [kind for kind, _, _ in keeps_up.whole] == ["event"] * 3 + ["resync"] + ["event"] * 2
    assert keeps_up.controls == slow.controls == [anew(6)]
    assert viewer.closed is None and hub.metrics.rewound == 1
    assert keeps_up.whole[-1][2] == store.events[A][-1].decoded(), (
        "the new one, not that of the same number before"
    )


@pytest.mark.usefixtures("quiet")
def test_what_was_read_or_kept_before_is_not_sent_again(hub: Hub, store: FakeStore):
    store.add(A, 5, message="lost")
    view(hub, A, 0)[1].gets(1, 2, 3, 4, 5)
    lose(store, 2)
    compare(hub)
    publish(hub, store, A, 3)

    _, later = view(hub, A, 2)
    _, from_the_first = view(hub, A, 0)

    later.gets(3, 4, 5)
    from_the_first.gets(1, 2, 3, 4, 5)
    assert [content["message"] for _, _, content in later.whole] == ["line"] * 3
    assert [content["message"] for _, _, content in from_the_first.whole] == ["lost"] * 2 + ["line"] * 3


@pytest.mark.usefixtures("quiet")
def test_what_was_being_read_is_not_sent_either(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    store.add(A, 5, message="lost")
    part, read, gate = store.page_part, threading.Event(), threading.Event()

    def held_back(*of: Any) -> list[Event]:
        found = part(*of)
        read.set()
        assert gate.wait(60)
        return found

    monkeypatch.setattr(store, "page_part", held_back)
    _, wire = view(hub, A, 0)
    assert read.wait(60)
    lose(store, 2)
    compare(hub)
    publish(hub, store, A, 3)
    _, later = view(hub, A, 0)

    gate.set()

    later.gets(1, 2, 3, 4, 5)
    assert [content["message"] for _, _, content in later.whole] == ["lost"] * 2 + ["line"] * 3
    wire.gets(3, 4, 5)
    assert wire.controls == [anew(2)]


@pytest.mark.usefixtures("quiet")
def test_a_stream_that_has_grown_again_is_noticed_by_what_it_says(hub: Hub, store: FakeStore):
    """Its last number is no lower than before, so that a look alone would find nothing."""
    store.add(A, 3)
    _, wire = view(hub, A, 3)
    publish(hub, store, A, 2)
    lose(store, 3)
    later = store.add(A, 4, message="another")

    hub.received(A, later[:2], False)
    compare(hub)

    wait_for("the resync", lambda: wire.controls == [anew(7)])
    publish(hub, store, A)
    wire.gets(4, 5, 8)


@pytest.mark.usefixtures("quiet")
def test_a_run_whose_end_was_lost_is_watched_again(hub: Hub, store: FakeStore):
    store.add(A, 2)
    view(hub, A, 2)
    publish(hub, store, A, 1, closes=True)
    lose(store, 2)
    compare(hub)

    viewer, wire = view(hub, A, 2)
    publish(hub, store, A)

    wire.gets(3)
    assert viewer.closed is None and wire.controls == []


def test_a_look_that_began_before_an_event_came_is_no_going_back(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A, 2)
    viewer, wire = view(hub, A, 2)
    heads = store.heads

    def and_meanwhile(streams: Sequence[str]) -> dict[str, Head]:
        found = heads(streams)
        publish(hub, store, A)
        return found

    monkeypatch.setattr(store, "heads", and_meanwhile)
    compare(hub)

    wire.gets(3)
    assert wire.controls == [] and viewer.room.head == 3 and hub.metrics.rewound == 0


def test_the_same_event_twice_is_no_contradiction(hub: Hub, store: FakeStore):
    store.add(A, 2)
    viewer, _ = view(hub, A, 2)
    events = store.add(A, 2)
    for _ in range(2):
        hub.received(A, events, False)
    hub.received(A, store.events[A][:3], False)

    assert not viewer.room.contradicted and viewer.room.head == 4
