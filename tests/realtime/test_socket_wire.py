"""A socket's wire: written directly only while the library is out of the way, and then whole frames only."""

from __future__ import annotations

import pytest

from app.realtime.socketio.codec import FRAMES
from app.stream.hub import Hub
from tests.realtime.fakes import Line, sequences_in, view, wire_of
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import event
from tests.stream.wires import tick

A, B = "task:a", "task:b"


def test_an_upgraded_client_gets_frames_and_its_queue_nothing(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)

    publish(hub, store, A, 3)

    assert wire.codec is FRAMES and sequences_in(line.frames()) == [2, 3, 4] and line.queued() == []
    assert line.ws._sendlock.counter == 1


@pytest.mark.parametrize("why", ["queued", "taken from the queue", "writing", "upgrading"])
def test_while_the_library_is_in_the_way_nothing_is_written(hub: Hub, store: FakeStore, line: Line, why: str):
    wire = wire_of(line)
    viewer = view(hub, A, 1, wire)
    session = line.session
    if why == "queued":
        session.queue.queue.append("ping")
    elif why == "taken from the queue":
        session.queue.getters.clear()
    elif why == "writing":
        line.ws._sendlock.counter = 0
    else:
        session.upgrading = True

    publish(hub, store, A, 3)
    line.retry()
    assert line.frames() == [] and line.poller.watched == {}, "the socket can be written to all the time"
    assert line.blocked == [wire.ready] and viewer.cohort is None
    session.queue.queue.clear()
    session.queue.getters.add("writer")
    line.ws._sendlock.counter, session.upgrading = 1, False
    line.retry()

    assert sequences_in(line.frames()) == [2, 3, 4] and viewer.cohort is not None and line.blocked == []


def test_the_send_lock_is_held_while_a_frame_is_half_sent(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)
    line.ws.fd.capacity = 50

    publish(hub, store, A, 2)
    assert line.ws._sendlock.counter == 0 and wire.unsent > 0
    line.writable(5)
    assert line.ws._sendlock.counter == 0
    line.writable()

    assert line.ws._sendlock.counter == 1 and wire.unsent == 0
    assert sequences_in(line.frames()) == [2, 3] and line.poller.watched == {}


def test_cut_between_frames_the_library_may_write(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)
    line.ws.fd.capacity = len(FRAMES.frame(event(A, 2)))

    publish(hub, store, A, 2)

    assert line.ws._sendlock.counter == 1 and wire.unsent == 0 and sequences_in(line.frames()) == [2]
    line.writable()
    assert sequences_in(line.frames()) == [2, 3]


def test_a_frame_of_one_who_left_is_finished(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    viewer = view(hub, A, 1, wire)
    line.ws.fd.capacity = 50
    publish(hub, store, A, 2)

    viewer.close()
    line.writable(3)
    line.writable()

    assert sequences_in(line.frames()) == [2] and line.ws._sendlock.counter == 1 and line.poller.watched == {}


def test_two_rooms_share_the_socket_frame_by_frame(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire), view(hub, B, 1, wire)
    line.ws.fd.capacity = 50

    publish(hub, store, A, 2)
    line.ws.fd.capacity = 500
    publish(hub, store, B, 2)
    assert len(line.ws.fd.taken) == 50
    while line.poller.watched:
        line.writable(90)

    assert sequences_in(line.frames(), A) == sequences_in(line.frames(), B) == [2, 3]


def test_of_rooms_that_wait_none_starves(hub: Hub, store: FakeStore, line: Line):
    """Each time the socket takes two frames, and each room always has more."""
    wire, streams = wire_of(line), [f"task:{n}" for n in range(6)]
    for stream in streams:
        store.add(stream)
        view(hub, stream, 1, wire)
    line.ws.fd.capacity = 1
    for stream in streams:
        publish(hub, store, stream, 40)

    for _ in range(20):
        line.writable(400)

    assert all(line.ws.fd.taken.count(f'"stream":"{stream}"'.encode()) > 2 for stream in streams)


def test_a_large_frame_that_goes_on_slowly_is_progress(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    viewer = view(hub, A, 1, wire)
    line.ws.fd.capacity = 10
    publish(hub, store, A)
    began = viewer.progress_at = viewer.progress_at - 1000

    line.writable(10)
    hub._catchup.sweep(began + 1000)

    assert viewer.closed is None


def test_in_batches_a_burst_is_one_frame_that_is_owed_to_its_end(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line, batch=True)
    viewer = view(hub, A, 1, wire)
    line.ws.fd.capacity = 50

    publish(hub, store, A, 20)
    assert wire.unsent > 0 and line.ws._sendlock.counter == 0 and viewer.cohort is None
    line.writable(5)
    line.writable()
    publish(hub, store, A)
    tick(hub)

    assert [len(sequences_in([frame])) for frame in line.frames()] == [20, 1] and viewer.cohort is not None
    assert sequences_in(line.frames()) == list(range(2, 23)) and line.ws._sendlock.counter == 1


@pytest.mark.parametrize(
    ("reason", "transport"), [("draining", True), ("unavailable", True), ("closed", False)]
)
def test_what_ends_the_transport(hub: Hub, store: FakeStore, line: Line, reason: str, transport: bool):
    viewer = view(hub, A, 1, wire_of(line))

    viewer.close(reason)

    assert [target for target, _ in line.eio.background] == [line.session.close] * transport
    assert not line.ws.shut


def test_a_stalled_client_is_cut_at_once(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    viewer = view(hub, A, 1, wire)
    line.ws.fd.capacity = 10
    publish(hub, store, A)

    viewer.close("stalled")

    assert line.ws.shut and wire.unsent == 0 and line.ws._sendlock.counter == 1


def test_left_in_the_middle_of_a_frame_the_library_writes_nothing_into_it(
    hub: Hub, store: FakeStore, line: Line
):
    """What it says to a client that is signed out would become a part of an event."""
    wire = wire_of(line)
    view(hub, A, 1, wire)
    line.ws.fd.capacity = 50
    publish(hub, store, A)

    wire.close()

    assert line.ws.shut or line.ws._sendlock.counter == 0


def test_a_session_that_closed_loses_its_viewers_at_the_next_event(hub: Hub, store: FakeStore, line: Line):
    viewer = view(hub, A, 1, wire_of(line))
    line.session.closed = True

    publish(hub, store, A)

    assert viewer.closed == "gone" and line.ws.fd.taken == b""
