"""Engine.IO and Socket.IO as their published suites have it, where the library does otherwise."""

from __future__ import annotations

import time
from queue import Queue
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from flask import Flask, request

from app.realtime.socketio import engineio_adapter, server
from app.realtime.socketio.engineio_adapter import SocketIsClosedError
from app.realtime.socketio.polling import Polling as Polls
from tests.realtime.test_edges import Polling, ask
from tests.stream.helpers import in_threads
from tests.support.system import System, User

POLL = {"QUERY_STRING": "EIO=4&transport=polling"}


class Session:
    """Of a client by polling, to which a ping was sent ``pinged`` seconds ago."""

    def __init__(self, pinged: float | None) -> None:
        self.last_ping = None if pinged is None else time.time() - pinged
        self.server = SimpleNamespace(
            ping_interval=25,
            ping_timeout=20,
            reason=SimpleNamespace(TRANSPORT_ERROR="transport error"),
            get_queue_empty_exception=lambda: LookupError,
        )
        self.queue: Queue[Any] = Queue()
        self.upgraded = self.upgrading = self.closed = False

    def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        self.closed = True


@pytest.mark.slow
def test_of_two_polls_one_is_told_good_bye_and_the_session_is_closed(system: System, user: User) -> None:
    session = Polling(system.url, user)

    with httpx.Client(timeout=60) as other:
        answers: list[httpx.Response] = []
        in_threads(
            [
                lambda: answers.append(session.client.get(session.url)),
                lambda: answers.append(other.get(session.url)),
            ]
        )

    assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert [answer.text for answer in answers if answer.status_code == 200] == ["1"]
    assert session.client.get(session.url).status_code == 400


def test_a_poll_that_comes_when_a_pong_is_overdue_closes_the_session() -> None:
    late, in_time = Session(pinged=3_600), Session(pinged=0)  # twenty seconds are allowed
    in_time.queue.put(engineio_adapter.noop())

    with pytest.raises(SocketIsClosedError):
        Polls(late, lambda: False, lambda why: None).get(POLL, None)

    assert late.closed
    assert Polls(in_time, lambda: False, lambda why: None).get(POLL, None)[0].encode() == "6"


def test_a_poll_that_waits_when_its_client_leaves_is_answered_by_a_noop() -> None:
    session = Session(pinged=None)
    session.queue.put(None)  # the end of all that is to be sent

    (packet,) = Polls(session, lambda: False, lambda why: None).get(POLL, None)

    assert packet.encode() == "6"


@pytest.mark.parametrize("query", ["transport=abc", "transport=", "b64=1"])
def test_a_transport_that_there_is_not_is_refused(system: System, query: str) -> None:
    assert ask(system.url, query, {}) == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH"])
def test_a_method_that_there_is_not_is_refused(system: System, method: str) -> None:
    answer = httpx.request(method, f"{system.url}/socket.io/?EIO=4&transport=polling", timeout=60)

    assert answer.status_code == 400


@pytest.mark.slow
def test_a_namespace_that_there_is_not_is_refused_in_the_words_of_the_protocol(
    system: System, user: User
) -> None:
    session = Polling(system.url)

    assert session.post("40/other,") == 200
    assert session.poll() == ['44/other,{"message":"Invalid namespace"}']

    assert session.post('40{"token":"' + user.token + '"}') == 200
    assert session.poll()[0].startswith('40{"sid"')


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {}), ("POST", {}), ("GET", {"Connection": "Upgrade", "Upgrade": "websocket"})],
    ids=["poll", "post", "websocket"],
)
def test_an_event_leaves_no_error_behind_that_holds_its_request(method: str, headers: dict[str, str]) -> None:
    app = Flask(__name__)
    server._name_path(app)

    with app.test_request_context("/socket.io/?EIO=4", method=method, headers=headers):
        assert request.routing_exception is None
