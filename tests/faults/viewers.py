"""Viewers that reconnect by themselves, as EventSource and the official Socket.IO client do, and the events they
saw."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import orjson

from tests.faults.checker import Seen
from tests.support.system import User, wait_for
from tests.support.threads import joined
from tests.support.viewers import SseViewer

FIRST_RETRY_MS = 1000  # until the server sends another
SILENCE_SECONDS = 40  # the server sends a comment every 15 s
# ["polling", "websocket"], the library's default, upgrades to WebSocket; the last stays on polling.
TRANSPORTS = (["websocket"], ["websocket"], ["polling", "websocket"], ["websocket"], ["polling"])


class Watcher(Protocol):
    """``seen`` has the events in the order of arrival; ``returns`` counts connections after the first; ``fault`` is an
    error that no viewer may meet. ``done`` is set after the server's end of the stream."""

    seen: list[Seen]
    returns: int
    fault: str
    done: threading.Event

    def close(self) -> None: ...


class SseWatcher(SseViewer):
    """Follows the specification of EventSource: sends the id of the last complete event as ``Last-Event-ID``,
    reconnects after ``retry:`` milliseconds, and ends at 204. Another status is a fault."""

    def __init__(self, url: str, user: User, task_id: str) -> None:
        super().__init__(url, user, task_id)
        self.seen: list[Seen] = []
        self.returns = -1
        self.fault = ""
        self.done = threading.Event()
        self._id = ""
        self._leaving = threading.Event()
        self._running = threading.Thread(target=self._run, daemon=True)
        self._running.start()

    def close(self) -> None:
        self._leaving.set()
        self.cut()
        self._running.join(SILENCE_SECONDS + 10)

    def receive(self, type: str, data: dict[str, Any], id: str | None = None) -> None:
        if id is not None:
            self._id = id
        if "sequence" in data:
            self.seen.append(Seen(data["sequence"], type, data["timestamp"], data.get("status") or ""))
        elif type in ("resync", "token_expired"):
            self.fault = f"{type} {json.dumps(data)}"

    def _run(self) -> None:
        while not self._leaving.is_set() and not self.done.is_set() and not self.fault:
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=SILENCE_SECONDS)
            try:
                self._connect(connection)
            except (http.client.HTTPException, OSError):
                pass  # no response: reconnect, as after every other end
            finally:
                connection.close()
            self._leaving.wait(0 if self.done.is_set() else (self.retry or FIRST_RETRY_MS) / 1000)

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        headers = {"Authorization": f"Bearer {self.user.token}", "Accept": "text/event-stream"}
        if self._id:
            headers["Last-Event-ID"] = self._id
        connection.connect()
        self._connection, self._socket = connection, connection.sock
        if self._leaving.is_set():  # close() sets the flag before it reads the socket
            return
        connection.request("GET", f"/api/v2/tasks/{self.task_id}/stream", headers=headers)
        # A response with Connection: close owns the socket, so it must be closed too.
        with closing(connection.getresponse()) as response:
            if response.status == 200:
                self.returns += 1
                self._read(connection, response)
            elif response.status == 204:
                self.done.set()
            else:
                self.fault = f"answered {response.status}"


class SocketWatcher:
    """A viewer in the Node process."""

    def __init__(self, number: int, host: Sockets) -> None:
        self.number, self._host = number, host
        self.seen: list[Seen] = []
        self.returns = -1
        self.fault = ""
        self.done = threading.Event()
        self.closed = threading.Event()

    def close(self) -> None:
        if not self.closed.is_set():
            self._host.order(close=self.number)
            wait_for("a socket to close", self.closed.is_set)
            self._host.forget(self.number)


class Sockets:
    """A Node process with any number of viewers over the official client."""

    def __init__(self) -> None:
        self._opened = 0
        self._viewers: dict[int, SocketWatcher] = {}
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("viewers.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin and self._process.stdout
        self._orders: IO[bytes] = self._process.stdin
        self._thread = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._thread.start()

    def open(self, url: str, user: User, task_id: str) -> SocketWatcher:
        viewer = SocketWatcher(self._opened, self)
        self._viewers[viewer.number] = viewer
        transports = TRANSPORTS[viewer.number % len(TRANSPORTS)]
        self._opened += 1
        self.order(open=viewer.number, url=url, token=user.token, task=task_id, transports=transports)
        return viewer

    def order(self, **what: Any) -> None:
        self._orders.write(orjson.dumps(what) + b"\n")
        self._orders.flush()

    def forget(self, number: int) -> None:
        del self._viewers[number]

    def close(self) -> None:
        self._orders.close()  # ends the process
        self._process.wait(60)
        joined(self._thread)
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            number, what, *rest = orjson.loads(line)
            viewer = self._viewers[number]
            if isinstance(what, int):
                viewer.seen.append(Seen(what, *rest))
            elif what == "joined":
                viewer.returns += 1
            elif what == "end":
                viewer.done.set()
            elif what == "fault":
                viewer.fault = rest[0]
            elif what == "closed":
                viewer.closed.set()


@contextmanager
def sockets() -> Iterator[Sockets]:
    host = Sockets()
    try:
        yield host
    finally:
        host.close()
