"""Requests and messages that no ordinary client sends, or that a network makes of its own: each has an answer, and
costs nobody an event."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import pytest
import websocket

from tests.realtime.raw import RawSocket
from tests.realtime.test_flooded import streams
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

KEY = base64.b64encode(b"0123456789abcdef").decode()
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
OLD = {
    "Connection": "Upgrade",
    "Upgrade": "WebSocket",
    "Origin": "",
    "Sec-WebSocket-Key1": "18x 6]8vM;54 *(5:  {   U1]8  z [  8",
    "Sec-WebSocket-Key2": "1_ tx7X d  <  nw  334J702) 7]o}` 0",
}
UNREADABLE = ["abc", "", "4" + "[" * 15_000, "b!", "4", "4true", "4{}", "42[{}]"]


@pytest.fixture(scope="module")
def web(system: System) -> Iterator[str]:
    """A web process in which an upgrade may take three seconds, and nobody is missed for silence."""
    with system.web(UPGRADE_SECONDS="3", PING_SECONDS="300") as url:
        yield url


@pytest.fixture(autouse=True)
def closing_time() -> Iterator[None]:
    yield
    while Polling.opened:
        Polling.opened.pop().close()


class Polling:
    """A session by long-polling, by hand."""

    opened: ClassVar[list[httpx.Client]] = []

    def __init__(self, url: str, user: User | None = None) -> None:
        self.url = f"{url}/socket.io/?EIO=4&transport=polling"
        self.client = httpx.Client(timeout=60)
        self.opened.append(self.client)
        self.sid = json.loads(self.client.get(self.url).text[1:])["sid"]
        self.url += f"&sid={self.sid}"
        self.upgrade = f"ws{url[4:]}/socket.io/?EIO=4&transport=websocket&sid={self.sid}"
        if user is not None:
            assert self.post("40" + json.dumps({"token": user.token})) == 200
            assert self.poll()[0].startswith("40")

    def post(self, content: Any) -> int:
        return self.client.post(self.url, content=content).status_code

    def poll(self) -> list[str]:
        answer = self.client.get(self.url)
        assert answer.status_code == 200
        return answer.text.split("\x1e")


def log(system: System, url: str) -> str:
    return (system.home / f"web-{url.rpartition(':')[2]}.log").read_text()


def ask(url: str, query: str, headers: dict[str, str]) -> int:
    """The status of the answer."""
    address = urlsplit(url)
    with closing(socket.create_connection((str(address.hostname), int(address.port or 80)), 60)) as line:
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(
            f"GET /socket.io/?EIO=4&{query} HTTP/1.1\r\nHost: {address.netloc}\r\n{given}\r\n".encode()
        )
        with line.makefile("rb") as answer:
            return int(answer.readline().split()[1])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OLD, 400),
        ({"Connection": "Upgrade", "Upgrade": "WebSocket", "Origin": "x"}, 400),
        (HANDSHAKE | {"Sec-WebSocket-Version": "8"}, 426),
        (HANDSHAKE | {"Sec-WebSocket-Version": "x"}, 426),
        (HANDSHAKE | {"Sec-WebSocket-Key": "short"}, 400),
        ({name: value for name, value in HANDSHAKE.items() if name != "Connection"}, 400),
        (HANDSHAKE | {"Connection": "close"}, 400),
        (HANDSHAKE | {"Upgrade": "h2c"}, 400),
    ],
)
def test_what_is_no_handshake_of_today_is_refused_and_takes_nothing_from_the_session(
    web: str, user: User, headers: dict[str, str], status: int
) -> None:
    session = Polling(web, user)
    assert session.post('420["leave_events",{}]') == 200

    assert ask(web, f"transport=websocket&sid={session.sid}", headers) == status
    assert ask(web, "transport=websocket", headers) == status

    assert session.poll() == ['430[{"ok":true}]']
    ordinary = RawSocket(web, user)
    ordinary.close()


def test_a_second_upgrade_is_closed_and_takes_nothing_from_the_first(web: str, user: User) -> None:
    session = Polling(web, user)
    first = websocket.create_connection(session.upgrade, timeout=60)
    first.send("2probe")
    assert first.recv() == "3probe"

    second = websocket.create_connection(session.upgrade, timeout=60)
    assert second.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE
    second.shutdown()

    first.send("5")
    first.send('420["leave_events",{}]')
    answers = [first.recv(), first.recv()]
    assert answers[-1] == '430[{"ok":true}]'
    first.close()


def test_an_upgrade_whose_frames_are_swallowed_ends_and_polls_are_served_meanwhile(
    web: str, user: User
) -> None:
    session = Polling(web, user)
    swallowed = websocket.create_connection(session.upgrade, timeout=60)

    for n in range(5):
        assert session.post(f'42{n}["leave_events",{{}}]') == 200
        got: list[str] = []
        while got in ([], ["6"]):
            got = session.poll()
        assert got == [f'43{n}[{{"ok":true}}]']

    assert swallowed.recv() in ("", b""), "the server ends it"
    swallowed.shutdown()
    second = websocket.create_connection(session.upgrade, timeout=60)
    second.send("2probe")
    assert second.recv() == "3probe", "and it may be tried again"
    second.shutdown()


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_text_that_cannot_be_read_closes_its_websocket_cleanly(system: System, web: str, text: str) -> None:
    address = f"ws{web[4:]}/socket.io/?EIO=4&transport=websocket"
    ws = websocket.create_connection(address, timeout=60)
    assert ws.recv()[0] == "0"
    ws.send(text)

    rest = b""
    ws.sock.settimeout(15)  # less than a stranger's time
    while part := ws.sock.recv(4096):
        rest += part
    ws.shutdown()

    assert b"HTTP" not in rest
    assert "Traceback" not in log(system, web)


def test_a_viewer_whose_text_cannot_be_read_is_counted_no_more(web: str, user: User, running: str) -> None:
    before = streams(web)
    raw = RawSocket(web, user)
    with closing(raw.ws.sock):
        raw.join(running)
        assert streams(web) == before + 1
        raw.ws.send("abc")

        wait_for("its place to be free", lambda: streams(web) == before)


@pytest.mark.parametrize("text", ["abc", "", "4" + "[" * 15_000, "4no probe"])
def test_an_upgrade_that_cannot_be_read_leaves_the_session_to_its_polls(
    web: str, user: User, text: str
) -> None:
    session = Polling(web, user)
    ws = websocket.create_connection(session.upgrade, timeout=60)
    ws.send(text)
    while ws.recv() not in ("", b""):
        continue
    ws.shutdown()

    assert session.post('420["leave_events",{}]') == 200
    assert session.poll() == ['430[{"ok":true}]']


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("text", UNREADABLE)
def test_a_post_that_cannot_be_read_is_400_and_closes_the_session(
    system: System, web: str, text: str, chunked: bool
) -> None:
    session = Polling(web)

    assert session.post(iter([text.encode()]) if chunked else text.encode()) == 400
    assert session.post("40") == 400
    assert "Traceback" not in log(system, web)


def test_a_chunked_post_is_read(web: str, user: User) -> None:
    session = Polling(web, user)

    assert session.post(iter([b'420["leave', b'_events",{}]'])) == 200
    assert session.poll() == ['430[{"ok":true}]']


def test_a_stranger_posts_16384_bytes_at_most(web: str, user: User) -> None:
    assert Polling(web).post('42["x","' + "x" * 17_000 + '"]') == 400
    assert Polling(web).post(iter([b'42["x","', b"x" * 17_000, b'"]'])) == 400
    assert Polling(web, user).post('42["x","' + "x" * 17_000 + '"]') == 200


def test_the_joins_of_a_client_that_comes_back_fit_into_one_post(web: str, user: User) -> None:
    session = Polling(web, user)
    assert session.post("\x1e".join(f'42{n}["leave_events",{{}}]' for n in range(66))) == 200

    acknowledged: list[str] = []
    while len(acknowledged) < 66:
        answer = session.poll()
        assert len(answer) <= 16, "the Python client refuses more"
        acknowledged += answer
    assert sorted(acknowledged) == sorted(f'43{n}[{{"ok":true}}]' for n in range(66))

    assert session.post("\x1e".join(["3"] * 129)) == 400
    assert session.post("3") == 400, "it is closed"


def test_a_poll_whose_client_has_gone_takes_no_event_with_it(web: str, user: User) -> None:
    session = Polling(web, user)
    address = urlsplit(session.url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), 60) as line:
        line.sendall(f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def closed() -> bool:
        return session.post('420["leave_events",{}]') == 400

    wait_for("the session to be closed, so that its client comes back with its cursor", closed)
    assert session.client.get(session.url).status_code == 400


def test_who_signs_out_is_a_stranger_again(system: System, web: str, user: User) -> None:
    raw = RawSocket(web, user)
    with closing(raw.ws.sock):
        raw.send("41", *['42["x","' + "x" * 2_000 + '"]'] * 30)
        raw.read_all()

    assert "sends more than 16384 bytes before it signs in" in log(system, web)
