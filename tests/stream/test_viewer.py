"""A viewer: what it gets after its cursor, when it waits, and when it is refused."""

from __future__ import annotations

import threading

import pytest

from app.stream import room as rooms
from app.stream.hub import Hub
from app.stream.viewer import Filter, Resync
from tests.stream.fakes import FakeStore, drained, publish
from tests.support.system import wait_for

A = "task:a"


def test_a_cursor_beyond_the_stream_is_a_resync_once(hub: Hub, store: FakeStore):
    store.add(A, 3)

    viewer = hub.watch(A, 4)

    with pytest.raises(Resync) as refused:
        viewer.next(0)
    assert (refused.value.reason, refused.value.cursor, refused.value.head) == ("beyond_head", 3, 3)
    publish(hub, store, A)
    assert drained(viewer) == [4]


def test_a_cursor_that_was_pruned_is_a_resync_to_the_oldest(hub: Hub, store: FakeStore):
    store.add(A, 9)
    store.pruned[A] = 6

    viewer, exact = hub.watch(A, 5), hub.watch(A, 6)

    with pytest.raises(Resync) as refused:
        viewer.next(0)
    assert (refused.value.reason, refused.value.oldest, refused.value.cursor) == ("pruned", 7, 6)
    assert drained(viewer) == drained(exact) == [7, 8, 9]


@pytest.mark.parametrize("closed", [True, False])
def test_pruning_that_overtakes_a_viewer_is_a_resync_though_the_room_knew_nothing(
    hub: Hub, store: FakeStore, closed: bool
):
    store.add(A, 9, closes=closed)
    viewer = hub.watch(A, 2)
    store.pruned[A] = 6

    with pytest.raises(Resync) as refused:
        viewer.next(0)

    assert (refused.value.reason, refused.value.oldest) == ("pruned", 7)
    assert drained(viewer) == [7, 8, 9]


def test_a_gap_larger_than_the_ring_is_read_page_by_page(hub: Hub, store: FakeStore):
    store.add(A)
    viewer = hub.watch(A, 1)

    store.add(A, rooms.RING_EVENTS + 600)
    publish(hub, store, A)
    wait_for("the jump", lambda: viewer.room.head == rooms.RING_EVENTS + 602)

    assert drained(viewer) == list(range(2, rooms.RING_EVENTS + 603))


def test_a_viewer_behind_the_ring_reads_back(hub: Hub, store: FakeStore):
    store.add(A)
    slow, quick = hub.watch(A, 1), hub.watch(A, 1)

    for _ in range(rooms.RING_EVENTS + 50):
        publish(hub, store, A)
        assert len(quick.next(0).events) == 1
    asked = len(store.asked)

    assert drained(slow) == list(range(2, rooms.RING_EVENTS + 52))
    assert [what for what, _ in store.asked[asked:]] == ["after"]


@pytest.mark.parametrize("what", ["publish", "close"])
def test_a_waiting_viewer_is_woken(hub: Hub, store: FakeStore, what: str):
    store.add(A)
    viewer, batches = hub.watch(A, 1), []
    thread = threading.Thread(target=lambda: batches.append(viewer.next(30)), daemon=True)
    thread.start()

    publish(hub, store, A) if what == "publish" else viewer.close("enough")

    thread.join(10)
    assert not thread.is_alive()
    assert batches[0].closed == "enough" if what == "close" else batches[0].position == 2


def test_a_filtered_viewer_moves_on_past_what_it_does_not_want(hub: Hub, store: FakeStore):
    store.add(A)
    viewer = hub.watch(A, 0, Filter(types=frozenset({"task_status"})))
    severe = hub.watch(A, 0, Filter(level="WARNING"))
    publish(hub, store, A, 3)

    assert viewer.next(0).position == severe.next(0).position == 4
    assert drained(hub.watch(A, 0, Filter(frozenset({"log"}), "INFO"))) == [1, 2, 3, 4]


def test_a_stream_that_ended_ends_its_viewers_after_the_last_event(hub: Hub, store: FakeStore):
    store.add(A)
    viewer = hub.watch(A, 0)
    publish(hub, store, A, 2, closes=True)

    assert drained(viewer) == [1, 2, 3]
    assert viewer.next(0).ended and hub.watch(A, 3).next(0).ended
