"""Every transport in one busy room: all of it, in order, and the library's own traffic in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import websocket

from tests.realtime.raw import RawSocket
from tests.support.system import System, User, wait_for
from tests.support.viewers import JavaScriptViewer, SocketViewer, SseViewer, Viewer


class Pinged:
    """A client that sits in a busy room until it has been pinged, while the other tests run."""

    def __init__(self, system: System, user: User) -> None:
        self.user = user
        self.task_id = user.start("emit_load", events=6000, rate=150, message_bytes=100)
        self.client = RawSocket(system.url, user)
        self.client.join(self.task_id)
        self._pinged = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        self.client.read_until(lambda: self.client.pings)
        count = len(self.client.sequences)
        self.client.read_until(lambda: len(self.client.sequences) > count + 150)  # its answer was good
        self._pinged.set()

    def wait(self) -> None:
        assert self._pinged.wait(40), "no ping, or nothing after it"


@pytest.fixture(scope="module")
def pinged(system: System) -> Iterator[Pinged]:
    user = system.user()
    pinged = Pinged(system, user)
    yield pinged
    pinged.client.close()
    user.client.post(f"/api/v2/tasks/{pinged.task_id}/cancel")
    user.client.close()


@pytest.mark.usefixtures("pinged")
def test_all_transports_in_one_room_and_upgrades_in_the_middle(system: System, user: User) -> None:
    task_id = user.start("emit_load", events=4000, rate=800, message_bytes=100)
    url, both = system.url, ("polling", "websocket")
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
            wait_for("the upgrade", lambda v=viewer: [c for c in v.controls if c[0] == "transport"][1:])
            assert not viewer.ended, "the run was too short to tell"
        last = 0
        for viewer in (*viewers, *upgrading):
            assert viewer.control("end")["status"] == "SUCCESS"
            last = last or user.status(task_id)["sequence"]
            assert viewer.sequences == list(range(1, last + 1))
    for viewer in upgrading:
        assert [data["name"] for type, data, _ in viewer.controls if type == "transport"] == list(both)


def test_acknowledgements_come_through_a_busy_room(pinged: Pinged, system: System) -> None:
    viewer = SocketViewer(system.url, pinged.user, pinged.task_id)
    with closing(viewer):
        viewer.open(0)
        for _ in range(30):
            assert viewer.join(0)["ok"]
        seen = len(viewer.events)
        viewer.wait_events(seen + 100)
        assert viewer.sequences == list(range(1, len(viewer.sequences) + 1))


@pytest.mark.usefixtures("pinged")
def test_many_rooms_on_one_socket_during_load(system: System, user: User) -> None:
    done = [user.start("test_phases", count=100) for _ in range(3)]
    for task_id in done:
        user.finished(task_id)
    tasks = [user.start("emit_load", events=1500, rate=1000, message_bytes=100), *done]
    viewer = SocketViewer(system.url, user, tasks[0])
    with closing(viewer):
        viewer.connect()
        for task_id in tasks:
            answer = viewer.client.call("join_task", {"task_id": task_id, "since_sequence": 0}, timeout=10)
            assert answer["ok"]
        wait_for("the end of all", lambda: len([c for c in viewer.controls if c[0] == "end"]) == len(tasks))
        for task_id in tasks:
            seen = [e["sequence"] for e in viewer.events if e["task_id"] == task_id]
            assert seen == list(range(1, user.status(task_id)["sequence"] + 1))


def test_compression_is_not_negotiated(system: System, user: User) -> None:
    offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    with closing(RawSocket(system.url, user, headers=offer)) as client:
        assert isinstance(client.ws, websocket.WebSocket)
        assert "sec-websocket-extensions" not in client.ws.getheaders()


def test_ids_begin_with_the_process(system: System, user: User) -> None:
    answer = user.client.get("/socket.io/?EIO=4&transport=polling")
    assert '"sid":"1-' in answer.text


def test_pings_come_through_a_busy_room(pinged: Pinged) -> None:
    pinged.wait()
    assert pinged.client.sequences == list(range(1, len(pinged.client.sequences) + 1))
