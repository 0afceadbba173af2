"""An SSE connection's wire over a real connection: what is unsent, how it says goodbye, and who looks after it."""

from __future__ import annotations

import itertools
import select
import selectors
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from app.config import Config
from app.periodic import Periodic
from app.realtime.sse_codec import CHUNKED, PLAIN, SseCodec
from app.realtime.sse_connection import OneRoomConnection, SseConnection
from app.realtime.sse_registry import SLOTS, SseRegistry, close_socket
from app.stream import background
from app.stream.hub import Hub
from app.stream.viewer import Viewer
from tests.stream.fakes import FakeStore, publish
from tests.support.system import wait_for

A = "task:a"
Connect = Callable[[int, SseCodec], "Connection"]


class Wires:
    """Where a wire belongs: ``watched`` tells of what its poller looks for."""

    def __init__(self) -> None:
        self.poller = self
        self.watched: dict[int, tuple[Any, bool]] = {}
        self.removed: list[SseConnection] = []

    def watch(self, fd: int, ready: Any, read: bool = True, write: bool = False) -> None:
        self.watched[fd] = (ready, write)

    def forget(self, fd: int) -> None:
        self.watched.pop(fd, None)

    def remove(self, wire: SseConnection, taken: socket.socket, words: bytes) -> None:
        self.removed.append(wire)
        close_socket(self, taken, words)  # type: ignore[arg-type]


class Connection:
    """A viewer on a wire, and the client's end of its socket."""

    def __init__(self, hub: Hub, cursor: int, codec: SseCodec) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.create_connection(listener.getsockname(), timeout=60)
            given, _ = listener.accept()
        given.setblocking(False)
        given.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.wires, self.received, self.given = Wires(), b"", given
        self.viewer: Viewer = hub.watch(A, cursor)
        principal: Any = SimpleNamespace(user_id="u", expires_at=0)
        self.wire = OneRoomConnection(self.wires, given, codec, self.viewer, principal)  # type: ignore[arg-type]
        hub.attach(self.viewer, self.wire)

    def turn(self) -> None:
        """What the poller does."""
        for fd, (ready, write) in list(self.wires.watched.items()):
            with selectors.DefaultSelector() as selector:
                selector.register(fd, selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0))
                for _, mask in selector.select(0):
                    ready(mask)

    def read_all(self, until: bytes) -> bytes:
        while until not in self.received:
            self.turn()
            self.received += self.client.recv(65536)
        return self.received


@pytest.fixture
def connect(hub: Hub) -> Iterator[Connect]:
    """``connect(cursor, codec)``; all are closed afterwards."""
    opened: list[Connection] = []

    def connect(cursor: int, codec: SseCodec) -> Connection:
        opened.append(Connection(hub, cursor, codec))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.viewer.close()
        connection.client.close()


@pytest.mark.parametrize("codec", [CHUNKED, PLAIN])
def test_a_client_that_stops_reading_is_parked_and_gets_the_rest_when_it_reads(
    hub: Hub, store: FakeStore, connect: Connect, codec: SseCodec
):
    connection = connect(1, codec)
    while connection.viewer.cohort is not None:
        publish(hub, store, A, 20)
    last = len(store.events[A])

    assert connection.wires.watched[connection.given.fileno()][1], "it waits for room"
    text = connection.read_all(f'"sequence":{last},'.encode())

    found = [int(line.split()[1]) for line in text.split(b"\n") if line.startswith(b"id: ")]
    assert found == list(range(2, last + 1))
    wait_for("its cohort", lambda: connection.turn() or connection.viewer.cohort)
    assert not connection.wires.watched[connection.given.fileno()][1], "and for no more room than it needs"


def test_a_client_that_closes_is_noticed_without_an_event(hub: Hub, store: FakeStore, connect: Connect):
    connection = connect(1, CHUNKED)
    connection.client.close()

    connection.turn()

    assert connection.viewer.closed == "gone" and connection.wires.removed == [connection.wire]
    assert connection.given.fileno() == -1 and connection.wires.watched == {}


def test_what_a_client_says_is_of_no_interest(hub: Hub, store: FakeStore, connect: Connect):
    connection = connect(1, CHUNKED)
    connection.client.send(b"GET / HTTP/1.1\r\n\r\n")

    connection.turn()

    assert connection.viewer.closed is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ended", b"0\r\n\r\n"),
        ("draining", b"retry: "),
        ("unavailable", b"retry: "),
        ("expired", b"event: token_expired\n"),
    ],
)
def test_it_says_why_it_leaves(hub: Hub, store: FakeStore, connect: Connect, reason: str, words: bytes):
    connection = connect(1, CHUNKED)

    connection.viewer.close(reason)

    received = connection.client.recv(4096)
    assert words in received and received.endswith(b"0\r\n\r\n") and connection.client.recv(1) == b""
    assert connection.wires.removed == [connection.wire]


class Told:
    """A socket that notes what it is told, in its order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def fileno(self) -> int:
        return 7

    def send(self, data: bytes, flags: int = 0) -> int:
        self.calls.append(("send", data, flags))
        return len(data)

    def close(self) -> None:
        self.calls.append(("close",))


def test_the_last_words_come_together_with_the_close(hub: Hub, store: FakeStore):
    """Else a client that keeps connections sends its next request on this one, and reads a reset. With MSG_MORE the
    kernel holds the words back until the close, but for no longer than 0.2 s: by a real socket's other end it could
    not be told whether they were held."""
    taken, wires, viewer = Told(), Wires(), hub.watch(A, 1)
    principal: Any = SimpleNamespace(user_id="u", expires_at=0)
    hub.attach(viewer, OneRoomConnection(wires, taken, CHUNKED, viewer, principal))  # type: ignore[arg-type]

    viewer.close("ended")

    assert taken.calls == [("send", b"0\r\n\r\n", socket.MSG_MORE), ("close",)]
    assert wires.watched == {}


def test_in_the_middle_of_a_frame_it_says_nothing(hub: Hub, store: FakeStore, connect: Connect):
    connection = connect(1, CHUNKED)
    connection.wire.send = lambda data: connection.given.send(data[:30])
    publish(hub, store, A)
    assert connection.wire.unsent

    connection.viewer.close("draining")

    received = b""
    while more := connection.client.recv(65536):
        received += more
    assert not received.endswith(b"0\r\n\r\n") and b"retry" not in received


def test_keepalives_go_to_those_who_keep_up(hub: Hub, store: FakeStore, connect: Connect):
    connection = connect(1, CHUNKED)

    hub.send_control(connection.viewer, lambda cursor: CHUNKED.keepalive)

    assert connection.client.recv(100) == b"2\r\n:\n\r\n"


@pytest.mark.parametrize(("turns", "seconds"), [(1, 15), (2, 30)])
def test_every_wire_has_its_keepalive_in_time_and_not_all_have_it_at_once(turns: int, seconds: int) -> None:
    """Every 15 seconds as configured by default; at the addresses of older clients every 30."""
    wires = SseRegistry(MagicMock(), MagicMock(), MagicMock(), Config("", "", "").keepalive_seconds)
    sent_at: list[list[int]] = []
    now = 0
    for fd in range(60):
        received = list[int]()
        wire = MagicMock(slot=fd, codec=MagicMock(keepalive_every=turns, counts_connections=False))
        wire.principal.expires_at = float("inf")
        wire.keep_alive = lambda *_, received=received: received.append(now)
        wires._slots[fd % len(wires._slots)].add(wire)
        sent_at.append(received)

    for now in range(4 * SLOTS):  # noqa: B007 - read by those who are told
        wires.send_keepalives()

    gaps = {later - before for received in sent_at for before, later in itertools.pairwise(received)}
    assert {gap * wires.slot_seconds for gap in gaps} == {seconds}
    assert {received[0] * wires.slot_seconds for received in sent_at} == set(range(seconds)), "spread evenly"


def test_a_keepalive_comes_also_where_connections_cannot_be_counted(
    hub: Hub, store: FakeStore, connect: Connect
) -> None:
    presence = MagicMock()
    presence.count.side_effect = SystemError("as asked")
    wires = SseRegistry(hub, MagicMock(), presence, 15.0)
    wires._timers = ()  # the test is its timer
    counting = type("Counting", (SseCodec,), {"counts_connections": True})(chunked=False)
    connection = connect(1, counting)
    connection.wire.principal.expires_at = float("inf")  # type: ignore[misc]
    wires.add(connection.wire)

    for _ in range(2 * SLOTS):
        wires.send_keepalives()

    assert connection.client.recv(100) == b":\n" * 2
    assert hub.faults.count == 2 * SLOTS


@pytest.mark.parametrize("what", ["keep_alive", "send_comment", "expiry"])
def test_thousands_are_looked_after_in_turns(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    wires, turns = SseRegistry(MagicMock(), MagicMock(), MagicMock(), 15.0), list[float]()
    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=turns.append, monotonic=lambda: 0.0))
    crowd = [
        MagicMock(slot=0, codec=MagicMock(keepalive_every=1, counts_connections=False)) for _ in range(1_000)
    ]
    for wire in crowd:
        wire.principal.expires_at = float("-inf" if what == "expiry" else "inf")
    wires._slots[7 if what == "expiry" else 1].update(crowd)  # the first turn is that of slot 1
    wires._commented[1].update(crowd)

    wires.send_comments() if what == "send_comment" else wires.send_keepalives()

    assert len(turns) == 5


def test_both_timers_run_once_somebody_is_there(
    hub: Hub, store: FakeStore, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(Periodic, "_run", lambda periodic: ran.append(periodic.name))
    wires = SseRegistry(hub, MagicMock(), MagicMock(), 15.0)

    for _ in range(2):
        wires.add(connect(1, PLAIN).wire)

    wait_for("both", lambda: sorted(ran) == ["comments", "keepalive"])


def test_where_a_client_gives_up_after_five_seconds_of_silence_a_comment_comes_every_three(
    hub: Hub, store: FakeStore, connect: Connect
) -> None:
    wires = SseRegistry(hub, MagicMock(), MagicMock(), Config("", "", "").keepalive_seconds)
    wires._timers = ()  # the test is its timer
    breathing = type("Breathing", (SseCodec,), {"sends_comments": True})(chunked=False)
    opened = [connect(1, breathing), connect(1, breathing), connect(1, PLAIN)]
    for connection in opened:
        wires.add(connection.wire)
    sent_in: list[list[int]] = [[] for _ in opened]

    for second in range(12):
        wires.send_comments()
        for connection, seconds in zip(opened, sent_in, strict=True):
            if select.select([connection.client], [], [], 0)[0]:
                assert connection.client.recv(100) == b":\n"
                seconds.append(second)

    for seconds in sent_in[:2]:
        assert len(seconds) == 4 and {b - a for a, b in itertools.pairwise(seconds)} == {3}
    assert sent_in[2] == []
