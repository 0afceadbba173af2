"""Many viewers: one buffer for all who stand together, one query for all who ask, and ticks for a busy room."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from app.stream import fanout as fanouts
from app.stream import history as histories
from app.stream import hub as hubs
from app.stream.burst import Filter
from app.stream.hub import Hub
from app.stream.room import Room
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import LINES, PARCELS, FakeWire, Lines, tick, view
from tests.support.system import wait_for

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


def test_equal_filters_share_and_others_do_not(hub: Hub, store: FakeStore):
    store.add(A)

    def logs() -> FakeWire:
        return view(hub, A, 1, filter=Filter(frozenset({"log"})))[1]

    same, level, bare = [logs(), logs()], view(hub, A, 1, filter=Filter(level="INFO"))[1], view(hub, A, 1)[1]

    publish(hub, store, A)

    assert len(last_offered(same)) == 1
    assert len(last_offered([same[0], level, bare])) == 3


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


@pytest.mark.parametrize("source", ["ring", "postgres"])
def test_a_crowd_that_catches_up_shares_its_buffers(hub: Hub, store: FakeStore, source: str):
    store.add(A)
    hub.watch(A, 1)
    publish(hub, store, A, 20)
    if source == "postgres":
        hub._rooms[A].forget()

    wires = [view(hub, A, 1)[1] for _ in range(30)]
    for wire in wires:
        wire.gets(*range(2, 22))

    assert len(last_offered(wires)) == 1


def test_a_crowd_at_old_cursors_asks_for_each_page_once(hub: Hub, store: FakeStore):
    head = 2 * histories.PAGE_EVENTS
    store.add(A, head)
    viewers = [hub.watch(A, 7 * n % head) for n in range(500)]
    wires = [FakeWire(PARCELS) for _ in viewers]

    for viewer, wire in zip(viewers, wires, strict=True):
        hub.attach(viewer, wire)
    publish(hub, store, A)

    for n, wire in enumerate(wires):
        wire.gets(*range(7 * n % head + 1, head + 2))
    # A page that a thread asks for at the moment at which it arrives is read a second time.
    assert store.queries("after") <= 6 and store.queries("heads") == 1


def test_a_room_opened_by_many_at_once_is_asked_for_once(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A, 3)
    store.gate.clear()
    once, asking, rooms = hub._once, [], []

    def counted(*args: Any) -> Any:
        asking.append(args)
        return once(*args)

    monkeypatch.setattr(hub, "_once", counted)
    threads = [
        threading.Thread(target=lambda: rooms.append(hub.watch(A, 3).room), daemon=True) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    wait_for("all to ask", lambda: len(asking) == 50)
    store.gate.set()
    for thread in threads:
        thread.join(20)

    assert store.queries("heads") == 1 and len(set(rooms)) == 1 and len(rooms) == 50
    assert hub.subscription.following == [A]  # type: ignore[attr-defined]


def test_cursors_ahead_of_the_room_refresh_it_together(hub: Hub, store: FakeStore):
    store.add(A, 3)
    hub.watch(A, 3)
    store.add(A, 3)
    store.gate.clear()
    viewers = []
    threads = [
        threading.Thread(target=lambda: viewers.append(hub.watch(A, 6)), daemon=True) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    wait_for("the query", lambda: store.queries("heads") == 2)
    store.gate.set()
    for thread in threads:
        thread.join(20)

    assert [v.resync for v in viewers] == [None] * 20
    assert store.queries("heads") <= 4  # each second look is for those who joined one under way


def ring_bytes(hub: Hub) -> int:
    return sum(room.bytes for room in hub._rooms.values())


@pytest.mark.usefixtures("quiet")
def test_rings_keep_within_their_limit_and_viewers_get_everything(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hubs, "RINGS_BYTES", 20_000)
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

    assert [hub._rooms[s].bytes for s in streams[:3]] == [0, 0, 0], "those that were quiet for longest"
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
        until = time.thread_time() + 2 * fanouts.TICK_SECONDS
        while time.thread_time() < until:
            pass
        return super().send(data)


def test_a_room_whose_flush_takes_longer_than_a_tick_rests_as_well(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise each message is sent on by itself, at a tick's price, and the room never catches up again."""
    monkeypatch.setattr(fanouts, "REST", 1000.0)
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
    monkeypatch.setattr(fanouts, "REST", 1000.0)
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
    viewer, wire = view(hub, A, 1)
    hub.start()
    publish(hub, store, A)
    monkeypatch.setattr(fanouts, "TICK_SECONDS", 3600.0)
    viewer.room.rests_until = time.monotonic() + 0.2

    publish(hub, store, A)

    wait_for("the end of the rest", lambda: wire.sequences == [2, 3])


@pytest.mark.usefixtures("busy")
def test_rooms_tick_each_for_itself(hub: Hub, store: FakeStore):
    store.add(A), store.add(B)
    (_, one), (_, other) = view(hub, A, 1), view(hub, B, 1)
    publish(hub, store, A), publish(hub, store, A)

    publish(hub, store, B)

    assert one.sequences == [2] and other.sequences == [2], "a quiet room waits for no tick"


def test_the_ticks_come_by_themselves(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fanouts, "TICK_SECONDS", 0.1)
    store.add(A)
    _, wire = view(hub, A, 1)
    hub.start()

    for _ in range(9):
        publish(hub, store, A)

    wire.gets(*range(2, 11))
    assert len(wire.offered) <= 3


def test_a_lane_that_emptied_is_forgotten(hub: Hub, store: FakeStore):
    store.add(A)
    viewer, _ = view(hub, A, 1)
    room: Room = viewer.room
    viewer.close()
    publish(hub, store, A)

    assert room.lanes == {} and room.viewers == set()
    view(hub, A, 2)[1].gets()
    assert [lane.cursor for lane in room.lanes.values()] == [2]
