"""Each refusal of a socket leaves one line: who, from which address, what became of it, in which request."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import socketio
from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, Packet
from flask import Flask, request
from flask_socketio import ConnectionRefusedError

from app.auth import access_log
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import Unauthorized
from app.http.attempts import ConnectionAttempts
from app.observability.log_format import REQUEST_ID
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio import server
from app.realtime.socketio.acknowledgements import MAX_ASKING, acknowledged
from app.realtime.socketio.limits import UNREAD
from app.realtime.socketio.rooms import JoinEvents, Rooms, SocketClient
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable
from tests.realtime.test_floods import HANDSHAKE, SID, Front, Session
from tests.support.parts import Parts
from tests.support.system import System, User, wait_for
from tests.support.trail import Line, Trail, access_trail

ADDRESS, TOKEN = "2001:db8::7", "the token of ann"
ANN = Principal("ann", "ann@example.org", "operator", None, "session", time.time() + 900)


def handshake_of_ann(*_: object) -> Principal:
    access_log.concerns(ANN.user_id)
    return ANN


@pytest.fixture
def trail() -> Iterator[Trail]:
    with access_trail() as trail:
        yield trail


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Front:
    return Front(monkeypatch)


def environ(query: str = HANDSHAKE) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "REMOTE_ADDR": ADDRESS, REQUEST_ID: "r-1"}


# Handshakes, which are answered before Flask knows of them


def test_a_handshake_that_comes_too_often_is_a_line(front: Front, trail: Trail) -> None:
    front.refused = True

    assert front.server.handle_request(environ(), None) == [429]

    assert trail.lines() == [Line(f"connect user=- address={ADDRESS} outcome=too_many", "r-1")]


def test_a_handshake_beyond_those_that_are_not_signed_in_is_a_line(front: Front, trail: Trail) -> None:
    for n in range(2):
        front.come(f"1-{n}", ADDRESS)

    assert front.server.handle_request(environ(), None) == [429]
    front.come("1-other", "192.0.2.7")
    assert front.ask(HANDSHAKE, "192.0.2.8") == [503]

    assert trail.lines() == [
        Line(f"connect user=- address={ADDRESS} outcome=too_many", "r-1"),
        Line("connect user=- address=192.0.2.8 outcome=full", None),
    ]


def test_an_origin_that_may_not_is_a_line_and_others_are_none(trail: Trail) -> None:
    config = SimpleNamespace(cors_origins=("https://friend.example",))
    allowed = server._origins(Parts({}, config=config))  # type: ignore[arg-type]
    asked = environ() | {"HTTP_HOST": "taskroom.example"}

    found = [allowed(f"https://{host}.example", asked) for host in ("evil", "friend", "taskroom")]

    assert (found, allowed(None, asked)) == ([False, True, True], False)
    assert trail.lines() == [Line(f"connect user=- address={ADDRESS} outcome=forbidden", "r-1")]


# Sockets that are closed


def test_a_socket_that_is_closed_for_what_it_does_is_a_line(front: Front, trail: Trail) -> None:
    front.eio.handlers["connect"](SID, environ())
    front.eio.handlers["message"](SID, f'2["x", "{TOKEN}')
    front.floods.signed_in(SID, "ann")
    front.session.queue.queue.extend([Packet(MESSAGE, "")] * (UNREAD + 1))
    with pytest.raises(SocketIsClosedError):
        front.session.receive("one more")
    stranger = front.eio.sockets["1-stranger"] = Session()
    front.eio.handlers["connect"]("1-stranger", environ())
    front.sweep(25)

    assert stranger.closed
    assert trail.lines() == [
        Line(f'socket user=- address={ADDRESS} outcome=closed reason="sends no packet"', "r-1"),
        Line(f'socket user=ann address={ADDRESS} outcome=closed reason="floods"', "r-1"),
        Line(f'socket user=- address={ADDRESS} outcome=closed reason="does not sign in"', "r-1"),
    ]
    assert TOKEN not in trail.text


# Sockets that sign in


class Sockets:
    """The product's, over parts that the test makes up. ``closed`` are the transports that it closed."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, joins: ConnectionLimits, attempts: ConnectionAttempts
    ) -> None:
        self.ended, self.closed = set[str](), list[str]()
        parts: Any = Parts({ConnectionLimits: joins, ConnectionAttempts: attempts, Revocations: self.ended})
        manager = SimpleNamespace(eio_sid_from_sid=lambda sid, namespace: SID)
        io: Any = SimpleNamespace(server=SimpleNamespace(manager=manager))
        floods: Any = SimpleNamespace(close=self.closed.append, signed_in=lambda sid, user_id: None)
        monkeypatch.setattr(server, "SocketWire", lambda *_: SimpleNamespace(gone=False))
        self.served = server.Sockets(parts, io, SimpleNamespace(draining=False), floods)  # type: ignore[arg-type]
        self.served._expiry = SimpleNamespace(start=lambda: None)  # type: ignore[assignment]
        self._app = Flask(__name__)

    def connect(self) -> None:
        with self._app.test_request_context(environ_overrides=environ()):
            request.sid = "1"  # type: ignore[attr-defined]
            self.served.connect({"token": TOKEN})


def raises(error: Exception) -> Callable[..., Principal]:
    def checked(*_: object) -> Principal:
        raise error

    return checked


@pytest.mark.parametrize(
    ("joins", "tries", "ended", "line", "closes"),
    [
        (ConnectionLimits(9, 9), 0, (), "ann outcome=too_many", True),  # the user's attempts in a minute
        (ConnectionLimits(0, 9), 9, (), "ann outcome=too_many", False),  # the user's sockets
        (ConnectionLimits(9, 0), 9, (), "ann outcome=full", True),  # those of the process
        # Signed out since it was checked.
        (ConnectionLimits(9, 9), 9, ("session",), "ann outcome=unauthorized", False),
    ],
)
def test_a_socket_that_is_refused_is_a_line_with_its_user(
    monkeypatch: pytest.MonkeyPatch,
    trail: Trail,
    joins: ConnectionLimits,
    tries: int,
    ended: tuple[str, ...],
    line: str,
    closes: bool,
) -> None:
    sockets = Sockets(monkeypatch, joins, ConnectionAttempts(tries, lambda key: 0.0))
    sockets.ended.update(ended)
    monkeypatch.setattr(server.identity, "of_handshake", handshake_of_ann)

    with pytest.raises(ConnectionRefusedError):
        sockets.connect()

    user, _, outcome = line.partition(" ")
    assert trail.lines() == [Line(f"connect user={user} address={ADDRESS} {outcome}", "r-1")]
    assert TOKEN not in trail.text
    assert sockets.closed == [SID] * closes
    assert (joins.connections, sockets.served._clients) == (0, {})


@pytest.mark.parametrize(
    ("error", "failures", "lines"),
    [
        (Unauthorized("no"), 0.0, [f"connect user=- address={ADDRESS} outcome=unauthorized"]),
        (Unauthorized("no"), 5.0, [f"connect user=- address={ADDRESS} outcome=too_many"]),
        (DatabaseUnavailable("away"), 0.0, []),  # the breaker has a line for all
    ],
)
def test_a_socket_whose_token_is_refused_is_a_line_and_an_outage_is_none(
    monkeypatch: pytest.MonkeyPatch, trail: Trail, error: Exception, failures: float, lines: list[str]
) -> None:
    sockets = Sockets(monkeypatch, ConnectionLimits(9, 9), ConnectionAttempts(9, lambda key: failures))
    monkeypatch.setattr(server.identity, "of_handshake", raises(error))

    with pytest.raises(ConnectionRefusedError):
        sockets.connect()

    assert trail.lines() == [Line(line, "r-1") for line in lines]


# Events of sockets


def test_an_event_that_is_refused_is_a_line_with_its_user(trail: Trail) -> None:
    connection: Any = SimpleNamespace(principal=ANN, asking=MAX_ASKING)
    schema: Any = SimpleNamespace(fields={}, load=dict)
    handle = acknowledged("join_task", schema, lambda connection, data: {}, lambda sid: connection)
    with Flask(__name__).test_request_context(environ_overrides=environ()):
        request.sid = "1"  # type: ignore[attr-defined]

        ack = handle({})

    assert ack["error"]["status"] == 429
    assert trail.lines() == [Line(f"join_task user=ann address={ADDRESS} outcome=too_many", "r-1")]


@pytest.mark.parametrize("signed_out", [True, False])
def test_a_join_of_a_session_that_ended_meanwhile_is_a_line_and_of_a_socket_that_left_none(
    trail: Trail, signed_out: bool
) -> None:
    connection = SocketClient("1", cast(Any, None), ANN, {})

    def watch(*_: object) -> Any:
        """Postgres is asked, and the socket is closed before the answer."""
        connection.open = False
        return SimpleNamespace(close=lambda: None)

    ended = {ANN.session_id} if signed_out else set[str]()
    parts: Any = Parts(
        {ConnectionLimits: ConnectionLimits(9, 9), Hub: SimpleNamespace(watch=watch), Revocations: ended}
    )
    handle = acknowledged("join_events", JoinEvents(), Rooms(parts).join_events, lambda sid: connection)
    with Flask(__name__).test_request_context(environ_overrides=environ()):
        request.sid = "1"  # type: ignore[attr-defined]

        ack = handle({})

    assert ack["error"]["status"] == (401 if signed_out else 409)
    line = Line(f"join_events user=ann address={ADDRESS} outcome=unauthorized", "r-1")
    assert trail.lines() == [line] * signed_out


def test_over_a_socket_the_lines_have_the_id_of_its_handshake(
    system: System, user: User, other: User
) -> None:
    theirs, name = other.start("test_echo"), uuid.uuid4().hex
    client = socketio.Client(reconnection=False)
    client.connect(
        system.url,
        auth={"token": user.token},
        headers={"X-Request-ID": name},
        transports=["websocket"],
        wait_timeout=60,
    )
    client.call("join_task", {"task_id": theirs}, timeout=60)
    client.call("refresh_token", {"token": other.token}, timeout=60)
    client.disconnect()
    log = system.home / f"web-{system.url.rpartition(':')[2]}.log"

    def lines() -> list[str]:
        found = [line for line in log.read_text().splitlines() if f"[request_id={name}]" in line]
        return [line.partition("taskroom.access: ")[2] for line in found]

    wait_for("both lines", lambda: len(lines()) == 2)
    assert lines() == [
        f"{event} user={user.id} address=127.0.0.1 outcome={outcome} [request_id={name}]"
        for event, outcome in (("join_task", "foreign"), ("refresh_token", "unauthorized"))
    ]
