"""A viewer: what it gets after its cursor, what it is told, and how it ends."""

from __future__ import annotations

import pytest

from app.stream import room as rooms
from app.stream.codec import Filter
from app.stream.encoded_batch import FRAME_CHARS
from app.stream.hub import Hub
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import event, in_threads
from tests.stream.wires import BATCHES, PARCELS, FakeWire, view
from tests.support.system import wait_for

A = "task:a"


@pytest.fixture(params=["bytes", "packets"])
def wire(request: pytest.FixtureRequest) -> FakeWire:
    return FakeWire() if request.param == "bytes" else FakeWire(PARCELS)


def test_it_gets_what_comes_after_its_cursor(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 5)

    viewer, _ = view(hub, A, 2, wire)
    publish(hub, store, A, 2)

    wire.gets(3, 4, 5, 6, 7)
    assert viewer.cursor == 7 and wire.controls == []


def test_a_cursor_beyond_the_stream_is_a_resync_once_and_first(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 3)

    view(hub, A, 4, wire)
    publish(hub, store, A)

    wire.gets(4)
    resync = {"stream": A, "reason": "beyond_head", "oldest": 1, "head": 3}
    assert wire.whole[0] == ("resync", 3, resync) and wire.controls == [("resync", resync)]


def test_a_cursor_that_was_pruned_is_a_resync_to_the_oldest(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 9)
    store.pruned[A] = 6

    view(hub, A, 5, wire)
    _, exact = view(hub, A, 6)

    wire.gets(7, 8, 9)
    exact.gets(7, 8, 9)
    assert wire.whole[0] == ("resync", 6, {"stream": A, "reason": "pruned", "oldest": 7, "head": 9})
    assert len(wire.controls) == 1 and exact.controls == []


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_pruning_that_overtakes_a_viewer_is_a_resync(hub: Hub, store: FakeStore, closed: bool, known: bool):
    """Whether the room knows of it or not: what is left of the stream follows without a gap."""
    store.add(A, 9, closes=closed)
    viewer = hub.watch(A, 2)
    store.pruned[A] = 6
    if known:
        hub._tailcheck.compare([hub._rooms[A]])
    wire = FakeWire()

    hub.attach(viewer, wire)

    wire.gets(7, 8, 9)
    assert wire.whole[0] == ("resync", 6, {"stream": A, "reason": "pruned", "oldest": 7, "head": 9})
    wait_for("the last word", lambda: [kind for kind, _ in wire.controls] == ["resync", *["end"] * closed])


def test_pruning_before_its_cursor_is_no_resync_though_the_page_begins_there(hub: Hub, store: FakeStore):
    store.add(A, 9)
    viewers = [hub.watch(A, cursor) for cursor in (6, 7, 8)]
    store.pruned[A] = 6
    wires = [FakeWire() for _ in viewers]

    for viewer, wire in zip(viewers, wires, strict=True):
        hub.attach(viewer, wire)

    wires[0].gets(7, 8, 9)
    wires[1].gets(8, 9)
    wires[2].gets(9)
    assert all(wire.controls == [] for wire in wires)


def test_what_was_committed_while_a_page_was_read_is_read_again(hub: Hub, store: FakeStore):
    """A page under way may be older than the head: what it lacks is not pruned."""
    store.add(A, 5)
    _, early = view(hub, A, 5)
    store.gate.clear()
    _, first = view(hub, A, 0)
    wait_for("the page to be asked for", lambda: store.queries("after") == 1)
    missed = store.add(A, rooms.RING_EVENTS + 50)
    with hub._lock:
        watched = hub._rooms[A]
        watched.room.jump(missed[-1].sequence, False)
        hub._delivery.notify(watched)

    store.gate.set()

    first.gets(*range(1, missed[-1].sequence + 1))
    early.gets(*range(6, missed[-1].sequence + 1))
    assert first.controls == early.controls == []


def test_a_page_that_was_forgotten_before_it_was_sent_is_read_again(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """Serving a crowd of thousands may take longer than a page is kept."""
    history = hub._catchup._history
    keep, forgotten = history._keep, []

    def forgets_once(key, events, drops):  # type: ignore[no-untyped-def]
        if key in forgotten:
            return keep(key, events, drops)
        return forgotten.append(key)

    monkeypatch.setattr(history, "_keep", forgets_once)
    store.add(A, 9)

    _, wire = view(hub, A, 4)

    wait_for("something", lambda: wire.whole)
    wire.gets(5, 6, 7, 8, 9)
    assert wire.controls == []


@pytest.mark.parametrize(("size", "sends"), [(10, 2), (FRAME_CHARS, 4)])
def test_what_it_is_told_first_comes_before_all_else(hub: Hub, store: FakeStore, size: int, sends: int):
    store.add(A, 6)
    state = [event(A, sequence, "x" * size) for sequence in (1, 3, 4)]

    _, wire = view(hub, A, 5, FakeWire(BATCHES), first=state)
    wire.gets(1, 3, 4, 6)
    publish(hub, store, A)
    wire.gets(1, 3, 4, 6, 7)

    assert len(wire.offered) == sends + 1, "all at once where it is not too much"


def test_a_gap_larger_than_the_ring_is_read_page_by_page(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A)
    viewer, _ = view(hub, A, 1, wire)

    store.add(A, rooms.RING_EVENTS + 600)
    publish(hub, store, A)

    wait_for("the jump", lambda: viewer.room.head == rooms.RING_EVENTS + 602)
    wire.gets(*range(2, rooms.RING_EVENTS + 603))


def test_a_filtered_viewer_moves_on_past_what_it_does_not_want(hub: Hub, store: FakeStore):
    store.add(A)
    status, status_wire = view(hub, A, 0, filter=Filter(types=frozenset({"task_status"})))
    severe, severe_wire = view(hub, A, 0, filter=Filter(level="WARNING"))
    _, logs = view(hub, A, 0, filter=Filter(frozenset({"log"}), "INFO"))
    publish(hub, store, A, 3)

    logs.gets(1, 2, 3, 4)
    wait_for("both cursors", lambda: status.cursor == severe.cursor == 4)
    assert status_wire.whole == severe_wire.whole == []


def test_a_stream_that_ends_ends_its_viewers_after_the_last_event(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A)
    viewer, _ = view(hub, A, 0, wire)
    live, live_wire = view(hub, A, 1)
    publish(hub, store, A, 2, closes=True)

    wait_for("the end", lambda: viewer.closed and live.closed)
    assert (viewer.closed, wire.lefts) == ("ended", ["ended"])
    assert wire.sequences == [1, 2, 3] and wire.whole[-1] == ("end", 3, 3)
    assert live_wire.sequences == [2, 3] and live_wire.whole[-1] == ("end", 3, 3)
    assert hub.viewers() == []


def test_a_viewer_that_has_it_all_is_told_the_end(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 3, closes=True)

    viewer, _ = view(hub, A, 3, wire)

    wait_for("the end", lambda: viewer.closed)
    assert wire.whole == [("end", 3, 3)]


def test_a_stream_that_was_pruned_to_its_end_still_ends(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 3, closes=True)
    store.pruned[A] = 3

    viewer, _ = view(hub, A, 3, wire)

    wait_for("the end", lambda: viewer.closed)
    assert wire.whole == [("end", 3, None)]


@pytest.mark.parametrize("comes_back", [True, False])
def test_without_postgres_it_waits_a_while_and_is_sent_away_then(
    hub: Hub, store: FakeStore, wire: FakeWire, comes_back: bool
):
    store.add(A, 3)
    viewer = hub.watch(A, 0)
    store.away = True
    hub.attach(viewer, wire)
    for tries in (1, 2):
        wait_for("a try", lambda tries=tries: store.refused == tries and viewer in hub._catchup._unanswered)
        hub._sweep(viewer.progress_at + 1)
    assert viewer.closed is None and wire.whole == []
    wait_for("a try", lambda: viewer in hub._catchup._unanswered)

    store.away = not comes_back
    hub._sweep(viewer.progress_at + (1 if comes_back else 31))

    if comes_back:
        wire.gets(1, 2, 3)
    assert wire.lefts == ([] if comes_back else ["unavailable"])


def test_a_client_that_is_gone_leaves_at_the_next_event(hub: Hub, store: FakeStore):
    store.add(A, 1)
    viewer, wire = view(hub, A, 1)
    _, other = view(hub, A, 1)
    wire.gone = True

    publish(hub, store, A)

    wait_for("the close", lambda: viewer.closed)
    assert wire.lefts == ["gone"] and len(hub.viewers()) == 1
    other.gets(2)


def test_attached_after_its_close_it_is_told_why(hub: Hub, store: FakeStore, wire: FakeWire):
    store.add(A, 3)
    viewer = hub.watch(A, 0)
    viewer.close("signed_out")

    hub.attach(viewer, wire)
    publish(hub, store, A)

    assert wire.lefts == ["signed_out"] and wire.whole == [] and hub.viewers() == []


def in_a_lane(hub: Hub, store: FakeStore, wire: FakeWire) -> None:
    """It keeps up."""
    hub.attach(hub.watch(A, 3), wire)


def parked(hub: Hub, store: FakeStore, wire: FakeWire) -> None:
    """In the middle of a frame."""
    wire.capacity = 10
    hub.attach(hub.watch(A, 3), wire)
    publish(hub, store, A)


def reading(hub: Hub, store: FakeStore, wire: FakeWire) -> None:
    """Its page is under way."""
    viewer = hub.watch(A, 0)
    store.gate.clear()
    hub.attach(viewer, wire)


def arriving(hub: Hub, store: FakeStore, wire: FakeWire) -> None:
    """It has caught up in a room whose cohort waits for its tick."""
    view(hub, A, 3)
    publish(hub, store, A), publish(hub, store, A)
    hub.attach(hub.watch(A, None), wire)


def not_attached(hub: Hub, store: FakeStore, wire: FakeWire) -> None:
    """It has no wire yet."""
    hub.watch(A, 3)


@pytest.mark.parametrize("state", [in_a_lane, parked, reading, arriving, not_attached])
def test_it_can_be_closed_in_every_state(hub: Hub, store: FakeStore, state):  # type: ignore[no-untyped-def]
    store.add(A, 3)
    wire = FakeWire()
    state(hub, store, wire)
    attached = state is not not_attached
    (viewer,) = [v for v in hub.viewers() if v.wire is (wire if attached else None)]

    in_threads([viewer.close] * 3)
    store.gate.set()
    publish(hub, store, A, 3)
    wire.drain()

    assert viewer not in hub.viewers() and viewer.cohort is None and viewer not in hub._catchup.parking
    assert wire.lefts == ["closed"] * attached
    assert len(wire.sequences) <= 1, "nothing but the rest of a frame that was begun"
