"""What one socket may ask for: packets at a pace, small attachments, no event of the library's own, a sign-in soon."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import socketio
from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, NOOP, OPEN, Packet

from app.errors import Problem, TooMany
from app.realtime.socketio import limits
from app.realtime.socketio.engine import Engine
from app.realtime.socketio.limits import BURST, UNREAD, UNREAD_SIZE, Floods, StrictPacket
from app.realtime.socketio.token_bucket import TokenBucket
from app.realtime.unauthenticated import UnauthenticatedSockets

SID = "1-session"
HANDSHAKE = "EIO=4&transport=polling"


class Session:
    """``received`` is what the library got to see."""

    def __init__(self) -> None:
        self.sid = SID
        self.queue = SimpleNamespace(queue=deque(), qsize=lambda: len(self.queue.queue))
        self.received: list[Any] = []
        self.closed = self.closing = False

    def receive(self, packet: Any) -> None:
        self.received.append(packet)

    def handle_get_request(self, environ: Any, start_response: Any) -> None: ...

    def handle_post_request(self, environ: Any) -> None: ...

    def close(self, wait: bool = True, abort: bool = False) -> None:
        assert abort and not wait
        self.closed = True


class Front:
    """Floods before a server whose clock and sleep the test has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.refused = 1000.0, False
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.server = socketio.Server(async_mode="threading", serializer=StrictPacket)
        self.server.handle_request = lambda environ, start_response: [b"served"]
        eio = self.server.eio
        eio.sleep = self.sleep
        self.session = Session()
        eio.sockets[SID] = self.session
        self.threads: list[Callable[[], None]] = []
        monkeypatch.setattr(
            threading,
            "Thread",
            lambda target, **_: SimpleNamespace(start=lambda: self.threads.append(target)),
        )
        self.arrivals: list[str] = []
        self.strangers = UnauthenticatedSockets(per_address=2, in_total=3)
        self.floods = Floods(self.server, Engine(eio, 1, False), self.strangers, self.arrived, self.refuse)
        self.eio = eio

    def sweep(self, seconds: int) -> None:
        """As many seconds pass, each with its sweep."""
        for _ in range(seconds):
            self.now += 1.0
            self.floods._sweep()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def arrived(self, address: str) -> None:
        self.arrivals.append(address)
        if self.refused:
            raise TooMany("later")

    def refuse(self, error: Problem) -> Any:
        return lambda environ, start_response: [error.status]

    def connect(self) -> None:
        self.eio.handlers["connect"](SID, {})

    def ask(self, query: str, address: str = "192.0.2.7") -> Any:
        request = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "REMOTE_ADDR": address}
        return self.server.handle_request(request, None)

    def come(self, session_id: str, address: str) -> Any:
        """A handshake; what it is answered."""
        answer = self.ask(HANDSHAKE, address)
        if answer == [b"served"]:
            self.eio.sockets[session_id] = Session()
            self.eio.handlers["connect"](session_id, {"REMOTE_ADDR": address})
        return answer


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Front:
    return Front(monkeypatch)


def test_a_client_that_comes_back_says_all_it_has_to_say_at_once(front: Front):
    front.connect()
    began = front.now
    for n in range(BURST):
        front.session.receive(n)

    assert front.session.received == list(range(BURST))
    assert front.now == began


def test_a_client_that_goes_on_is_read_at_a_pace(front: Front):
    front.connect()
    began = front.now
    for n in range(BURST + 500):
        front.session.receive(n)

    assert len(front.session.received) == BURST + 500, "it waits, and nothing is lost"
    assert front.now - began == pytest.approx(500 / limits.PER_SECOND, rel=0.05)


def test_who_owes_too_much_or_reads_nothing_is_closed(front: Front):
    front.connect()
    front.sleep = front.eio.sleep = lambda seconds: None  # many requests at a time, each of which would wait
    with pytest.raises(SocketIsClosedError):
        for n in range(10_000):
            front.session.receive(n)
    assert front.session.closed
    assert len(front.session.received) < BURST + limits.DEBT_SECONDS * limits.PER_SECOND + 2

    front.session.closed = False
    front.session.queue.queue.extend([Packet(NOOP)] * (UNREAD + 1))
    front.now += 1000
    with pytest.raises(SocketIsClosedError):
        front.session.receive("one more")
    assert front.session.closed


def test_few_large_answers_that_are_not_read_close_the_socket(front: Front):
    front.connect()
    waiting = front.session.queue.queue
    waiting.extend([Packet(MESSAGE, "x" * (UNREAD_SIZE // 10))] * 10)
    waiting.extend([Packet(MESSAGE, b""), Packet(OPEN, {"sid": SID}), None])
    front.session.receive("as much as may wait")
    assert front.session.received and not front.session.closed

    waiting.append(Packet(MESSAGE, b"x"))
    with pytest.raises(SocketIsClosedError):
        front.session.receive("one more")
    assert front.session.closed


def test_a_budget_fills_up_again_and_not_beyond_its_brim(monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    budget = TokenBucket(BURST, 50.0)

    assert [budget.take() for _ in range(BURST)] == [0.0] * BURST
    assert budget.take() > 0
    now += 3600
    assert [budget.take() for _ in range(BURST)] == [0.0] * BURST
    assert budget.take() > 0


def test_who_does_not_sign_in_is_closed_and_who_does_is_not(front: Front):
    front.connect()
    assert len(front.threads) == 1, "the sweeps have begun"
    known = Session()
    front.eio.sockets["1-known"] = known
    front.eio.handlers["connect"]("1-known", {})
    front.floods.signed_in("1-known", "ann")

    front.sweep(25)

    assert front.session.closed and not known.closed


def test_one_that_cannot_be_closed_keeps_no_other_stranger_open(
    front: Front, monkeypatch: pytest.MonkeyPatch
):
    front.connect()
    second = Session()
    front.eio.sockets["1-second"] = second
    front.eio.handlers["connect"]("1-second", {})

    def fails(wait: bool = True, abort: bool = False) -> None:
        raise SystemError("as asked")

    monkeypatch.setattr(front.session, "close", fails)

    front.sweep(60)

    assert second.closed


def test_who_signs_out_has_a_strangers_time_again(front: Front):
    front.connect()
    front.floods.signed_in(SID, "ann")
    front.now += 3_600
    assert not front.floods.unauthenticated(SID)
    front.floods.signed_out(SID)
    assert front.floods.unauthenticated(SID)
    front.sweep(19)
    assert not front.session.closed

    front.sweep(3)

    assert front.session.closed
    front.floods.signed_out(SID)
    assert not front.floods.unauthenticated(SID), "a session that has closed is nobody"


def test_handshakes_are_counted_and_nothing_else_is(front: Front):
    assert front.ask(f"{HANDSHAKE}&sid=1-abc") == [b"served"]
    assert front.arrivals == []
    assert front.ask(HANDSHAKE) == [b"served"]
    front.refused = True
    assert front.ask(f"{HANDSHAKE}&xsid=1") == [429]
    assert front.ask(f"{HANDSHAKE}&sid=") == [429]
    assert front.arrivals == ["192.0.2.7"] * 3


def test_there_are_so_many_strangers_of_an_address_and_in_all(front: Front):
    here, near, far = "192.0.2.7", "198.51.100.1", "203.0.113.5"
    assert [front.come(f"1-{n}", here) for n in range(3)] == [[b"served"], [b"served"], [429]]
    assert [front.come(f"1-near{n}", near) for n in range(2)] == [[b"served"], [503]]
    assert front.ask(f"{HANDSHAKE}&sid=1-0", here) == [b"served"], "a session that there is goes on"

    front.floods.signed_in("1-0", "ann")
    assert front.come("1-3", here) == [b"served"], "who has signed in is none"
    front.eio.handlers["disconnect"]("1-near0")
    assert front.come("1-far", far) == [b"served"], "who has gone is none"
    front.floods.signed_out("1-0")
    assert front.come("1-4", here) == [429], "who signs out is one again"


def test_the_addresses_of_an_ipv6_network_are_one(front: Front):
    found = [front.come(f"1-{n}", f"2001:db8::{n + 1}") for n in range(3)]

    assert found == [[b"served"], [b"served"], [429]]


def test_nothing_is_kept_of_a_session_that_has_gone(front: Front):
    assert front.come("1-x", "192.0.2.7") == [b"served"]
    front.eio.handlers["disconnect"]("1-x")

    assert "1-x" not in front.eio.sockets
    assert (len(front.strangers), front.strangers.left) == (0, 1)
