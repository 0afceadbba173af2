"""Many viewers: one buffer for all who stand together, one query for all who ask."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from app.stream import catchup, encoded_batch, hub_state
from app.stream import history as histories
from app.stream import room as rooms
from app.stream.codec import Filter
from app.stream.event import Event
from app.stream.hub import Hub
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import Passages, event
from tests.stream.wires import LINES, PARCELS, FakeWire, Lines, view
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

A, B = "task:a", "task:b"


def last_offered(wires: list[FakeWire]) -> set[int]:
    return {id(wire.offered[-1]) for wire in wires}


def test_a_lane_is_offered_one_object(hub: Hub, store: FakeStore):
    store.add(A)
    lines, parcels = ([view(hub, A, 1, FakeWire(codec))[1] for _ in range(9)] for codec in (LINES, PARCELS))

    publish(hub, store, A, 3)

    assert len(last_offered(lines)) == len(last_offered(parcels)) == 1
    assert last_offered(lines) != last_offered(parcels)
    for wire in lines + parcels:
        wire.gets(2, 3, 4)


def test_filters_that_select_the_same_events_share_and_others_do_not(hub: Hub, store: FakeStore):
    store.add(A)

    def seen(types: str = "", level: str | None = None) -> FakeWire:
        return view(hub, A, 1, filter=Filter(frozenset(types.split(",")) if types else None, level))[1]

    logs = [seen("log"), seen("log"), seen("log,never"), seen("log,nowhere", "INFO")]
    everything, severe, states = [seen(), seen(level="INFO")], seen(level="ERROR"), seen("task_status")

    hub.received(A, [event(A, 2), Event(A, 3, "task_status", "{}")], False)

    assert len(last_offered(logs)) == len(last_offered(everything)) == 1
    assert last_offered([severe]) == last_offered([states])
    assert len(last_offered([logs[0], everything[0], states])) == 3
    assert [wire.sequences for wire in (logs[3], everything[1], severe)] == [[2], [2, 3], [3]]


def test_each_event_is_encoded_once_for_a_format(hub: Hub, store: FakeStore):
    class Counting(Lines):
        made = 0

        def frame(self, event: Any) -> bytes:
            Counting.made += 1
            return super().frame(event)

    codec = Counting()
    store.add(A)
    for _ in range(20):
        view(hub, A, 1, FakeWire(codec))

    publish(hub, store, A, 3)

    assert Counting.made == 3


def test_each_event_is_encoded_once_for_many_filters(hub: Hub, store: FakeStore):
    """One user may have five hundred streams, each with a filter of its own."""

    class Counting(Lines):
        frames = joins = 0

        def frame(self, event: Any) -> bytes:
            Counting.frames += 1
            return super().frame(event)

        def join(self, frames: Sequence[Any]) -> bytes:
            Counting.joins += 1
            return super().join(frames)

    codec = Counting()
    store.add(A)
    wires = [FakeWire(codec) for _ in range(102)]
    for number, wire in enumerate(wires[2:]):
        view(hub, A, 1, wire, Filter(frozenset({"log", f"a{number}"})))
    view(hub, A, 1, wires[0]), view(hub, A, 1, wires[1], Filter(frozenset({"task_status"})))
    Counting.joins = 0

    hub.received(A, [event(A, 2), Event(A, 3, "task_status", "{}"), event(A, 4)], False)

    assert Counting.frames == 3 and Counting.joins == 3
    wires[0].gets(2, 3, 4), wires[1].gets(3)
    for wire in wires[2:]:
        wire.gets(2, 4)


@pytest.mark.parametrize("source", ["ring", "postgres"])
def test_a_crowd_that_catches_up_shares_its_buffers(hub: Hub, store: FakeStore, source: str):
    store.add(A)
    hub.watch(A, 1)
    publish(hub, store, A, 20)
    if source == "postgres":
        hub._rooms[A].room.forget()

    wires = [view(hub, A, 1)[1] for _ in range(30)]
    for wire in wires:
        wire.gets(*range(2, 22))

    assert len(last_offered(wires)) == 1


def test_a_crowd_at_old_cursors_asks_for_each_page_once(hub: Hub, store: FakeStore):
    head = 2 * histories.PAGE_EVENTS
    store.add(A, head)
    viewers = [hub.watch(A, 35 * n % head) for n in range(100)]
    wires = [FakeWire(PARCELS) for _ in viewers]

    for viewer, wire in zip(viewers, wires, strict=True):
        hub.attach(viewer, wire)
    publish(hub, store, A)

    for n, wire in enumerate(wires):
        wire.gets(*range(35 * n % head + 1, head + 2))
    # A page that a thread asks for at the moment at which it arrives is read a second time.
    assert store.queries("after") <= 6 and store.queries("heads") == 1


def test_a_room_opened_by_many_at_once_is_asked_for_once(hub: Hub, store: FakeStore):
    store.add(A, 3)
    store.gate.clear()
    passages, rooms = Passages(hub._single_flight), []
    threads = [
        threading.Thread(target=lambda: rooms.append(hub.watch(A, 3).room), daemon=True) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    wait_for("all to ask", lambda: passages.count == 50)
    store.gate.set()
    for thread in threads:
        thread.join(60)

    assert store.queries("heads") == 1 and len(set(rooms)) == 1 and len(rooms) == 50
    assert hub.subscription.following == [A]  # type: ignore[attr-defined]


def test_cursors_ahead_of_the_room_refresh_it_together(hub: Hub, store: FakeStore):
    store.add(A, 3)
    hub.watch(A, 3)
    store.add(A, 3)
    store.gate.clear()
    passages, viewers = Passages(hub._tailcheck._single_flight), []
    threads = [
        threading.Thread(target=lambda: viewers.append(hub.watch(A, 6)), daemon=True) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    wait_for("all to look", lambda: passages.count == 20)
    store.gate.set()
    for thread in threads:
        thread.join(60)

    assert [v.resync for v in viewers] == [None] * 20
    assert store.queries("heads") == 2, "the one that opened the room, and the one that refreshed it"


def ring_bytes(hub: Hub) -> int:
    return sum(watched.room.bytes for watched in hub._rooms.values())


@pytest.mark.usefixtures("quiet")
def test_rings_keep_within_their_limit_and_viewers_get_everything(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_state, "RINGS_BYTES", 20_000)
    streams = [f"task:{n}" for n in range(6)]
    slow = {}
    for stream in streams:
        store.add(stream)
        _, slow[stream] = view(hub, stream, 1, FakeWire(capacity=10))
        view(hub, stream, 1)

    for round in range(30):
        for stream in streams if round < 10 else streams[3:]:
            publish(hub, store, stream)
            assert hub.ring_bytes == ring_bytes(hub) <= 20_000

    assert [hub._rooms[s].room.bytes for s in streams[:3]] == [0, 0, 0], "those that were quiet for longest"
    for stream, wire in slow.items():
        wire.drain()
        wire.gets(*range(2, len(store.events[stream]) + 1))


def test_a_room_that_was_swept_and_is_kept_again_counts_again(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A)
    hub.watch(A, 1).close()
    publish(hub, store, A, 5)
    store.add(A)
    heads = store.heads

    def swept_meanwhile(streams: list[str]) -> Any:
        hub._sweep(float("inf"))
        return heads(streams)

    monkeypatch.setattr(store, "heads", swept_meanwhile)
    hub.watch(A, 7)

    assert hub.ring_bytes == ring_bytes(hub) > 0
    monkeypatch.undo()
    hub.viewers()[0].close()
    hub._sweep(float("inf"))
    assert hub.ring_bytes == ring_bytes(hub) == 0


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("events", "message"), [(1_000, "line"), (40, "x" * 16_384)], ids=["many", "large"])
def test_a_batch_larger_than_the_ring_sends_nobody_who_keeps_up_to_postgres(
    hub: Hub, store: FakeStore, events: int, message: str
):
    store.add(A)
    wires = [view(hub, A, 1)[1] for _ in range(3)]
    asked = len(store.asked)

    hub.received(A, store.add(A, events, message=message), False)

    for wire in wires:
        wire.gets(*range(2, events + 2))
    assert len(store.asked) == asked
    assert hub.ring_bytes == ring_bytes(hub) <= rooms.RING_BYTES


class Own(Lines):
    """A format of one connection alone."""

    shared = False


def test_what_nobody_shares_takes_no_place_among_the_shared_buffers(hub: Hub, store: FakeStore):
    store.add(A, 20)
    _, first = view(hub, A, 0)
    first.gets(*range(1, 21))

    for _ in range(2 * encoded_batch.KEPT_BATCHES):
        view(hub, A, 0, FakeWire(Own()))[1].gets(*range(1, 21))
    _, later = view(hub, A, 0)
    later.gets(*range(1, 21))

    assert len(last_offered([first, later])) == 1 and len(hub._catchup._batches) == 1


def test_the_shared_buffers_are_bounded_in_bytes(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoded_batch, "KEPT_BYTES", 100_000)
    store.add(A, 40, message="x" * 10_000)

    for cursor in range(0, 30, 10):
        view(hub, A, cursor)[1].gets(*range(cursor + 1, 41))

    kept = hub._catchup._batches.values()
    assert 0 < hub._catchup._batches._bytes == sum(batch.size for batch in kept) <= 100_000


def test_a_buffer_larger_than_all_that_is_kept_is_shared_all_the_same(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(encoded_batch, "KEPT_BYTES", 1_000)
    store.add(A, 1, message="x" * 10_000)

    wires = [view(hub, A, 0)[1] for _ in range(3)]
    for wire in wires:
        wire.gets(1)

    assert len(last_offered(wires)) == 1


def test_a_reader_as_fast_as_we_are_is_not_sent_a_long_log_in_one_go(hub: Hub, store: FakeStore):
    head = 4 * histories.PAGE_EVENTS
    store.add(A, head, message="x" * 1_000)
    first = view(hub, A, 0)[1]
    wait_for("all pages to be in memory", lambda: first.drain() or len(first.sequences) == head)

    _, second = view(hub, A, 0)
    at_once = len(second.offered)
    wait_for("the rest", lambda: second.drain() or len(second.sequences) == head)

    assert at_once == catchup.BATCHES_IN_A_ROW < len(second.offered)
    assert second.sequences == list(range(1, head + 1))
