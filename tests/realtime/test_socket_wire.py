"""A socket's wire: written directly only while the library is out of the way, and then whole frames only."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from app.realtime import socket_wire as wires
from app.realtime.socket_wire import FRAMES, PACKETS, SocketWire
from app.stream.hub import Hub
from app.stream.viewer import Viewer
from tests.realtime.fakes import SID, Line, told
from tests.stream.fakes import FakeStore, at_once, hub_over, publish
from tests.stream.helpers import event
from tests.support.system import wait_for

A, B = "task:a", "task:b"


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    at_once(monkeypatch)
    store = FakeStore()
    store.add(A), store.add(B)
    return store


@pytest.fixture
def hub(store: FakeStore) -> Iterator[Hub]:
    hub = hub_over(store)
    yield hub
    hub.stop()


def wire_of(line: Line) -> SocketWire:
    return SocketWire(line.engine, SID, lambda viewer: None)


def view(hub: Hub, stream: str, cursor: int, wire: SocketWire) -> Viewer:
    viewer = hub.watch(stream, cursor)
    hub.attach(viewer, wire)
    return viewer


def test_an_upgraded_client_gets_frames_and_its_queue_nothing(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)

    publish(hub, store, A, 3)

    assert wire.codec is FRAMES and told(line.frames()) == [2, 3, 4] and line.queued() == []
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
    assert line.blocked == [wire] and viewer.lane is None
    session.queue.queue.clear()
    session.queue.getters.add("writer")
    line.ws._sendlock.counter, session.upgrading = 1, False
    line.retry()

    assert told(line.frames()) == [2, 3, 4] and viewer.lane is not None and line.blocked == []


def test_the_send_lock_is_held_while_a_frame_is_half_sent(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)
    line.ws.fd.capacity = 50

    publish(hub, store, A, 2)
    assert line.ws._sendlock.counter == 0 and wire.owed > 0
    line.writable(5)
    assert line.ws._sendlock.counter == 0
    line.writable()

    assert line.ws._sendlock.counter == 1 and wire.owed == 0
    assert told(line.frames()) == [2, 3] and line.poller.watched == {}


def test_cut_between_frames_the_library_may_write(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    view(hub, A, 1, wire)
    line.ws.fd.capacity = len(FRAMES.frame(event(A, 2)))

    publish(hub, store, A, 2)

    assert line.ws._sendlock.counter == 1 and wire.owed == 0 and told(line.frames()) == [2]
    line.writable()
    assert told(line.frames()) == [2, 3]


def test_a_frame_of_one_who_left_is_finished(hub: Hub, store: FakeStore, line: Line):
    wire = wire_of(line)
    viewer = view(hub, A, 1, wire)
    line.ws.fd.capacity = 50
    publish(hub, store, A, 2)

    viewer.close()
    line.writable(3)
    line.writable()

    assert told(line.frames()) == [2] and line.ws._sendlock.counter == 1 and line.poller.watched == {}


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

    assert told(line.frames(), A) == told(line.frames(), B) == [2, 3]


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
    hub._behind.sweep(began + 1000)

    assert viewer.closed is None


def test_a_polling_client_gets_so_many_packets_at_a_time(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    line = Line(monkeypatch, upgraded=False)
    line.engine._websockets.clear()
    wire = wire_of(line)
    view(hub, A, 1, wire)

    publish(hub, store, A, 30)
    sizes = []
    while packets := line.queued():
        sizes.append(len(packets))
        assert told(packets)[0] == sum(sizes[:-1]) + 2
        line.retry()

    assert wire.codec is PACKETS and sizes == [12, 12, 6] and wires.POLLING_PACKETS == 12


def test_an_upgrade_in_the_middle_goes_on_in_frames(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    line = Line(monkeypatch, upgraded=False)
    wire = wire_of(line)
    _, live = view(hub, A, 0, wire), view(hub, B, 1, wire)
    wait_for("the page", line.queued_some)
    publish(hub, store, A, 20), publish(hub, store, B)
    first = told(line.queued(), A)
    line.session.upgrading = True
    line.retry()
    queued = line.queued()  # held by the library until it is done
    line.session.upgraded, line.session.upgrading = True, False

    line.session.queue.queue.append("noop")
    line.retry()
    assert line.frames() == [], "the library sends what it has first"
    line.session.queue.queue.clear()
    line.retry()
    publish(hub, store, A), publish(hub, store, B)
    line.retry()

    assert wire.codec is FRAMES and line.queued() == []
    assert first + told(queued, A) + told(line.frames(), A) == list(range(1, 23))
    assert told(queued, B) + told(line.frames(), B) == [2, 3] and live.lane is not None


@pytest.mark.parametrize("missing", ["getters", "_sendlock", "fd", "extensions"])
def test_an_engine_that_looks_different_serves_by_its_queue_and_says_so_once(
    hub: Hub, store: FakeStore, line: Line, caplog: pytest.LogCaptureFixture, missing: str
):
    parts = {"getters": line.session.queue, "_sendlock": line.ws, "fd": line.ws.socket, "extensions": line.ws}
    delattr(parts[missing], missing)
    with caplog.at_level(logging.WARNING, "taskroom"):
        for stream in (A, B):
            view(hub, stream, 1, wire_of(line))
            publish(hub, store, stream, 2)
            assert told(line.queued(), stream) == [2, 3]

    assert [r.levelname for r in caplog.records] == ["WARNING"] and not line.engine.known


def test_compressed_clients_are_served_by_the_library(hub: Hub, store: FakeStore, line: Line):
    line.ws.extensions = {"permessage-deflate": {}}
    view(hub, A, 1, wire_of(line))

    publish(hub, store, A, 2)

    assert line.ws.fd.taken == b"" and told(line.queued()) == [2, 3]


def test_without_green_servers_all_goes_by_the_library(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    line = Line(monkeypatch, known=False)
    view(hub, A, 1, wire_of(line))

    publish(hub, store, A, 2)

    assert told(line.queued()) == [2, 3]


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

    assert line.ws.shut and wire.owed == 0 and line.ws._sendlock.counter == 1


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
