"""A running process under what one client can throw at it: its memory stays, others are served, places are freed."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
import websocket

from app.realtime.socketio.limits import BURST
from tests.api.answers import problem
from tests.realtime.raw import RawSocket, RawSse
from tests.support.held import held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow


def closed(raw: RawSocket) -> None:
    """AssertionError unless the server closes."""
    raw.ws.settimeout(60)
    with contextlib.closing(raw.ws.sock), pytest.raises((websocket.WebSocketException, OSError)):
        while raw.ws.recv() != "":
            continue
        raise ConnectionError


def streams(url: str) -> int:
    text = httpx.get(f"{url}/metrics", timeout=60).text
    return next(int(float(x.split()[1])) for x in text.split("\n") if x.startswith("taskroom_streams "))


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.fixture(scope="module")
def apart(system: System) -> Iterator[tuple[str, int]]:
    """The address and the number of a web process in which nobody else has a stream, and which does not close who
    leaves a ping unanswered before a test has looked for another reason."""
    with system.web(PING_SECONDS="300") as url:
        yield url, system.processes[-1].pid


@pytest.mark.alone
def test_a_flood_of_packets_stays_in_the_network_and_others_are_served(
    system: System, user: User, other: User
):
    task_id = other.start("test_echo")
    other.finished(task_id)
    packet = "420" + json.dumps(["join_task", {"task_id": "x" * 10_000}])
    with system.web() as url:
        pid, stop, sent = system.processes[-1].pid, threading.Event(), [0, 0]
        watcher = RawSocket(url, other)
        before, threads_before = memory(pid), threads(pid)

        def flood(n: int) -> None:
            raw = RawSocket(url, user)
            while not stop.is_set() and raw.send(packet):
                sent[n] += 1
            raw.ws.shutdown()

        flooders = [threading.Thread(target=flood, args=(n,)) for n in range(2)]
        for flooder in flooders:
            flooder.start()
        wait_for("more than one may send at once", lambda: sum(sent) > 3 * BURST, 60)
        watcher.join(task_id)
        watcher.read_until(lambda: watcher.ended)
        grown, more_threads = memory(pid) - before, threads(pid) - threads_before
        stop.set()
        for flooder in flooders:
            flooder.join(60)
            assert not flooder.is_alive()
        watcher.close()

    assert grown < 60_000_000, f"{grown:,} bytes"
    assert more_threads <= 4


@pytest.mark.parametrize(
    "messages",
    [
        ['5999999-["join_task",{"_placeholder":true,"num":0}]'],
        ['54-["join_task",{"_placeholder":true,"num":0}]', b"x" * 60_000, b"x" * 60_000],
        ['51-["join_task",{"_placeholder":true,"num":9}]', b"x"],
        ['2["disconnect"]'],
        ['2["connect",{},{}]'],
        ["2{]"],
        ["9"],
        ["0"],
        ["2[{}]"],
        ["2{}"],
        ["2[]"],
        ["2"],
    ],
)
def test_what_is_no_packet_of_ours_closes_the_socket(apart: tuple[str, int], user: User, messages: list[Any]):
    url, _ = apart
    raw = RawSocket(url, user)
    raw.send(*("4" + message if isinstance(message, str) else message for message in messages))
    closed(raw)
    wait_for("its place to be free", lambda: streams(url) == 0, 60)


@pytest.mark.parametrize(
    ("opcode", "why"),
    [(0, "sends a message in more than 64 pieces"), (9, "sends more than 16384 bytes before")],
)
def test_a_stranger_that_sends_pieces_of_a_byte_or_pings_is_closed_for_it(
    system: System, apart: tuple[str, int], opcode: int, why: str
):
    """One such connection kept a whole process busy for as long as it liked."""
    url, _ = apart
    ws = websocket.create_connection(f"ws{url[4:]}/socket.io/?EIO=4&transport=websocket", timeout=60)
    pieces = [websocket.ABNF.create_frame("4", 1, fin=0), *[websocket.ABNF.create_frame("x", 0, fin=0)] * 200]
    frames = pieces if opcode == 0 else [websocket.ABNF.create_frame("x" * 100, 9)] * 200
    with contextlib.suppress(OSError):  # it may be closed before all of it is sent
        ws.sock.sendall(b"".join(frame.format() for frame in frames))

    with contextlib.closing(ws.sock), contextlib.suppress(ConnectionError):
        while ws.sock.recv(65_536):
            continue
    log = system.home / f"web-{url.rpartition(':')[2]}.log"
    wait_for("the line", lambda: why in log.read_text())


@pytest.mark.alone
def test_a_hundred_stalled_viewers_are_dropped_and_cost_neither_memory_nor_anybody_else(
    system: System, user: User, tmp_path: Path
):
    begin = tmp_path / "begin"
    with system.web(STALLED_SECONDS="3") as url, contextlib.ExitStack() as stack:
        pid = system.processes[-1].pid
        run = stack.enter_context(held(user, tmp_path, rate=300, size=1500, begin=str(begin)))
        task_id = run.id
        others: list[Viewer] = [SseViewer(url, user, task_id), SocketViewer(url, user, task_id)]
        stalled = [RawSse(url, user, task_id) for _ in range(50)]
        stalled_sockets = [RawSocket(url, user) for _ in range(50)]
        for raw in (*stalled, *stalled_sockets):
            stack.callback(raw.close)
        for raw in stalled_sockets:
            raw.join(task_id)
        for viewer in others:
            stack.callback(viewer.close)
            viewer.open(0)
        wait_for("all to watch", lambda: streams(url) == 102, 60)
        before = memory(pid)

        begin.touch()
        wait_for("the stalled ones to be dropped", lambda: streams(url) == 2, 120)
        grown = memory(pid) - before
        run.let_go()
        for viewer in others:
            wait_for("the end", lambda viewer=viewer: viewer.ended, 120)

    last = user.status(task_id)["sequence"]
    assert all(viewer.sequences == list(range(1, last + 1)) for viewer in others)
    assert grown < 40_000_000, f"{grown:,} bytes"


@pytest.mark.alone
def test_unfinished_attachments_end_with_their_socket(apart: tuple[str, int], user: User):
    """Each socket holds what one message may hold, and nothing once it has gone."""
    (url, pid), size, held_each_time = apart, 99_000, 20

    def hold() -> None:
        raws = [RawSocket(url, user) for _ in range(held_each_time)]
        for raw in raws:
            assert raw.send('454-["join_task",{"_placeholder":true,"num":0}]', b"x" * size)
        for raw in raws:
            raw.close()
        wait_for("them to be gone", lambda: streams(url) == 0, 60)

    hold()  # what a process needs that does this at all
    before = memory(pid)
    for _ in range(5):
        hold()
    grown = memory(pid) - before

    assert grown < 5 * held_each_time * size / 2, f"{grown:,} bytes of what was held are still there"


def test_a_message_of_two_megabytes_closes_the_socket(system: System, user: User):
    raw = RawSocket(system.url, user)
    raw.send("4" + "x" * 2_000_000)
    closed(raw)


def test_two_megabytes_by_long_polling_are_refused(system: System):
    opened = httpx.get(f"{system.url}/socket.io/?EIO=4&transport=polling", timeout=60)
    sid = json.loads(opened.text[1:])["sid"]
    answer = httpx.post(
        f"{system.url}/socket.io/?EIO=4&transport=polling&sid={sid}",
        content="4" + "x" * 2_000_000,
        timeout=60,
    )
    assert answer.status_code == 400


def test_what_long_polling_cannot_read_is_answered_at_once(system: System):
    """The library would wait until the client had polled its farewell, and hold a greenlet for that."""
    for content in ("2", "6", "1"):
        opened = httpx.get(f"{system.url}/socket.io/?EIO=4&transport=polling", timeout=60)
        sid = json.loads(opened.text[1:])["sid"]
        path = f"{system.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
        assert httpx.post(path, content=content, timeout=60).status_code in (200, 400)
        assert httpx.post(path, content="40", timeout=60).status_code == 400, "it is closed"


def test_a_full_process_turns_sockets_away_and_they_come_back_by_themselves(
    system: System, user: User, running: str
):
    with system.web(MAX_VIEWERS="1") as url:
        for transports in (("websocket",), ("polling",)):
            wait_for("a place to be free", lambda: streams(url) == 0, 60)
            first = RawSse(url, user, running)
            first.read(1)
            viewer = JavaScriptViewer(url, user, running, transports)
            viewer.open(0)
            wait_for("a handshake that was turned away", lambda: turned_away(system, url) > 0, 60)
            assert not viewer.events
            first.close()
            viewer.wait_events(3)
            viewer.close()
            (system.home / f"web-{url.rpartition(':')[2]}.log").write_text("")


def turned_away(system: System, url: str) -> int:
    return (system.home / f"web-{url.rpartition(':')[2]}.log").read_text().count("outcome=full")


def test_too_many_handshakes_are_a_problem_with_a_time_to_wait(system: System):
    with system.web(TASKROOM_BENCH="0", CONNECTS_PER_MINUTE="5") as url:
        path = f"{url}/socket.io/?EIO=4&transport=polling"
        with httpx.Client(timeout=60) as client:
            answers = [client.get(path) for _ in range(51)]

    assert [answer.status_code for answer in answers[:50]] == [200] * 50
    problem(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_address_has_so_many_sockets_that_have_not_signed_in_and_the_others_go_on(
    system: System, user: User, running: str
):
    with system.web(TASKROOM_BENCH="0", TEST_SOCKETS_PER_ADDRESS="50") as url:
        path = f"{url}/socket.io/?EIO=4&transport=polling"
        viewer = RawSocket(url, user)
        with httpx.Client(timeout=60) as client:
            opened = [client.get(path) for _ in range(50)]
            assert {answer.status_code for answer in opened} == {200}
            refused = client.get(path)
            viewer.join(running)
            goodbye = f"{path}&sid={json.loads(opened[-1].text[1:])['sid']}"
            assert client.post(goodbye, content="1").status_code == 200
            free = client.get(path)
        viewer.close()

    problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert free.status_code == 200, "who has gone leaves a place"


def test_an_attachment_where_none_is_taken_is_answered(system: System, user: User, running: str):
    client = socketio.Client(reconnection=False)
    client.connect(system.url, auth={"token": user.token}, transports=["websocket"])
    assert client.call("join_task", b"\x00", timeout=60)["ok"] is False
    assert client.call("join_task", {"task_id": running}, timeout=60)["ok"] is True
    client.disconnect()
