"""A socket's wire where the library has the connection: long-polling, upgrades, and an engine that is not known."""

from __future__ import annotations

import logging

import pytest

from app.realtime.socketio import wire as wires
from app.realtime.socketio.codec import FRAME_BATCHES, FRAMES, PACKET_BATCHES, PACKETS
from app.stream.codec import Codec
from app.stream.hub import Hub
from tests.realtime.fakes import Line, sequences_in, view, wire_of
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import tick
from tests.support.system import wait_for

A, B = "task:a", "task:b"


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
        assert sequences_in(packets)[0] == sum(sizes[:-1]) + 2
        line.retry()

    assert wire.codec is PACKETS and sizes == [12, 12, 6] and wires.POLLING_PACKETS == 12


def test_a_polling_client_takes_batches_too(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    line = Line(monkeypatch, upgraded=False)
    line.engine._websockets.clear()
    wire = wire_of(line, batch=True)
    view(hub, A, 1, wire)

    publish(hub, store, A, 30)

    packets = line.queued()
    assert wire.codec is PACKET_BATCHES and len(packets) == 1 and sequences_in(packets) == list(range(2, 32))


@pytest.mark.parametrize(("batch", "codec"), [(False, FRAMES), (True, FRAME_BATCHES)])
def test_an_upgrade_in_the_middle_goes_on_in_frames(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch, batch: bool, codec: Codec
):
    line = Line(monkeypatch, upgraded=False)
    wire = wire_of(line, batch)
    _, live = view(hub, A, 0, wire), view(hub, B, 1, wire)
    wait_for("the page", line.queued_some)
    publish(hub, store, A, 20), publish(hub, store, B)
    first = sequences_in(line.queued(), A)
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

    assert wire.codec is codec and line.queued() == []
    assert first + sequences_in(queued, A) + sequences_in(line.frames(), A) == list(range(1, 23))
    assert sequences_in(queued, B) + sequences_in(line.frames(), B) == [2, 3] and live.cohort is not None


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
            assert sequences_in(line.queued(), stream) == [2, 3]

    assert [r.levelname for r in caplog.records] == ["WARNING"]


def test_a_socket_that_looks_different_leaves_the_others_as_they_are(hub: Hub, store: FakeStore, line: Line):
    """It made all others wait for the library, which had nothing of theirs, until they were cut."""
    wire = wire_of(line)
    view(hub, A, 1, wire)
    publish(hub, store, A)
    line.engine.not_direct(AttributeError("of another one"))

    publish(hub, store, A, 2)
    tick(hub)

    assert sequences_in(line.frames()) == [2, 3, 4] and line.queued() == [] and wire.codec is FRAMES


def test_where_the_library_looks_different_from_the_start_all_goes_by_its_queue(
    hub: Hub, store: FakeStore, line: Line
):
    line.engine.direct = False
    wire = wire_of(line)
    view(hub, A, 1, wire)

    publish(hub, store, A, 2)
    first = sequences_in(line.queued())
    publish(hub, store, A, 2)
    line.retry()

    assert first == [2, 3] and sequences_in(line.queued()) == [4, 5]
    assert line.frames() == [] and wire.codec is PACKETS


def test_compressed_clients_are_served_by_the_library(hub: Hub, store: FakeStore, line: Line):
    line.ws.extensions = {"permessage-deflate": {}}
    view(hub, A, 1, wire_of(line))

    publish(hub, store, A, 2)

    assert line.ws.fd.taken == b"" and sequences_in(line.queued()) == [2, 3]


def test_without_green_servers_all_goes_by_the_library(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    line = Line(monkeypatch, known=False)
    view(hub, A, 1, wire_of(line))

    publish(hub, store, A, 2)

    assert sequences_in(line.queued()) == [2, 3]
