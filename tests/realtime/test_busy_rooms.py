"""Every transport in one busy room: all of it, in order, and the library's own traffic in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import websocket

from tests.realtime.raw import RawSocket
from tests.support.held import Held, held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow


@pytest.fixture
def busy(user: User, tmp_path: Path) -> Iterator[Held]:
    """A task that goes on until it is let go."""
    with held(user, tmp_path, rate=400) as run:
        yield run


def test_all_transports_in_one_room_and_upgrades_in_the_middle(quick: str, user: User, busy: Held) -> None:
    url, task_id, both = quick, busy.id, ("polling", "websocket")
    upgrading = [JavaScriptViewer(url, user, task_id, transports=both) for _ in range(3)]
    viewers: list[Viewer] = [
        SseViewer(url, user, task_id),
        SocketViewer(url, user, task_id),
        SocketViewer(url, user, task_id, transports=("polling",)),
        SocketViewer(url, user, task_id, transports=both),
        SocketViewer(url, user, task_id, transports=both, batch=True),
        SocketViewer(url, user, task_id, transports=("polling",), batch=True),
    ]
    with ExitStack() as stack:
        for viewer in (*viewers, *upgrading):
            stack.callback(viewer.close)
            viewer.open(0)
        for viewer in upgrading:
            wait_for("the upgrade", lambda v=viewer: len(v.connections) == 2, 60)
        busy.let_go()
        last = 0
        for viewer in (*viewers, *upgrading):
            assert viewer.control("end")["status"] == "SUCCESS"
            last = last or user.status(task_id)["sequence"]
            assert viewer.sequences == list(range(1, last + 1))
    for viewer in upgrading:
        assert [made["name"] for made in viewer.connections] == list(both)


def test_acknowledgements_come_through_a_busy_room(system: System, user: User, busy: Held) -> None:
    viewer = SocketViewer(system.url, user, busy.id)
    with closing(viewer):
        viewer.open(0)
        for _ in range(30):
            assert viewer.join(0)["ok"]
        seen = len(viewer.events)
        viewer.wait_events(seen + 100)
        assert viewer.sequences == list(range(1, len(viewer.sequences) + 1))


def test_many_rooms_on_one_socket_during_load(system: System, user: User, busy: Held) -> None:
    done = [user.start("test_phases", count=100) for _ in range(3)]
    for task_id in done:
        user.finished(task_id)
    tasks = [busy.id, *done]
    viewer = SocketViewer(system.url, user, tasks[0])
    with closing(viewer):
        viewer.connect()
        for task_id in tasks:
            answer = viewer.client.call("join_task", {"task_id": task_id, "since_sequence": 0}, timeout=60)
            assert answer["ok"]
        wait_for("the end of those that are done", lambda: ends(viewer) == len(done), 60)
        busy.let_go()
        wait_for("the end of all", lambda: ends(viewer) == len(tasks), 60)
        for task_id in tasks:
            seen = [e["sequence"] for e in viewer.events if e["task_id"] == task_id]
            assert seen == list(range(1, user.status(task_id)["sequence"] + 1))


def ends(viewer: Viewer) -> int:
    return [type for type, _, _ in viewer.controls].count("end")


def test_compression_is_not_negotiated(system: System, user: User) -> None:
    offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    with closing(RawSocket(system.url, user, headers=offer)) as client:
        assert isinstance(client.ws, websocket.WebSocket)
        assert "sec-websocket-extensions" not in client.ws.getheaders()


def test_ids_begin_with_the_process(system: System, user: User) -> None:
    answer = user.client.get("/socket.io/?EIO=4&transport=polling")
    assert '"sid":"1-' in answer.text


def test_pings_come_through_a_busy_room(quick: str, user: User, busy: Held) -> None:
    with closing(RawSocket(quick, user)) as client:
        client.join(busy.id)
        client.read_until(lambda: client.pings == 3)  # the next one comes only after a good answer
        assert client.sequences == list(range(1, len(client.sequences) + 1))
