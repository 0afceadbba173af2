"""The inside of Engine.IO as far as we look at it, and sockets that take as much as the test lets them."""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from app.realtime.socketio.engine import Engine
from app.realtime.socketio.wire import SocketWire
from app.stream.hub import Hub
from app.stream.viewer import Viewer

EVERYTHING = 1_000_000_000
SID = "1-session"


class FakeFd:
    """A non-blocking socket: ``capacity`` is how many bytes it takes until the test gives it more."""

    def __init__(self) -> None:
        self.capacity = EVERYTHING
        self.taken = b""
        self.closed = False

    def send(self, data: bytes) -> int:
        if self.closed:
            raise ConnectionResetError
        count = min(len(data), self.capacity)
        if not count:
            raise BlockingIOError
        self.capacity -= count
        self.taken += data[:count]
        return count


class FakeLock:
    """As eventlet's semaphore: ``counter`` is 1 while it is free."""

    def __init__(self) -> None:
        self.counter = 1

    def acquire(self, blocking: bool = True) -> bool:
        assert not blocking, "the hub waits for nobody"
        taken, self.counter = self.counter > 0, max(self.counter - 1, 0)
        return taken

    def release(self) -> None:
        assert self.counter == 0
        self.counter = 1


class FakeWebSocket:
    def __init__(self, extensions: dict[str, Any] | None = None) -> None:
        self.extensions = extensions or {}
        self.fd = FakeFd()
        self.shut = False
        self.socket = SimpleNamespace(fd=self.fd, fileno=lambda: 7, shutdown=self._shutdown)
        self._sendlock = FakeLock()

    def _shutdown(self, how: int) -> None:
        self.shut = self.fd.closed = True


class FakeSession:
    """``queue`` is what the library has to send; its writer waits in ``getters``."""

    def __init__(self, upgraded: bool) -> None:
        self.sid = SID
        self.upgraded, self.upgrading, self.connected = upgraded, False, True
        self.closed = self.closing = False
        self.last_ping: float | None = None
        self.queue = SimpleNamespace(queue=deque(), getters={"writer"}, qsize=lambda: len(self.queue.queue))
        self.pings: list[Any] = []

    def send(self, packet: Any) -> None:
        self.pings.append(packet)

    def close(self, wait: bool = True, abort: bool = False) -> None:
        self.closed = True

    def _send_ping(self) -> None:
        raise AssertionError("the library's own ping sleeps in a greenlet for each client")


class FakeEngineIO:
    """``background`` is what it was asked to start."""

    ping_interval = 25

    def __init__(self, session: FakeSession) -> None:
        self.sockets = {session.sid: session}
        self.background: list[tuple[Callable[..., Any], dict[str, Any]]] = []
        self._async = {"websocket": FakeWsgi}

    def generate_id(self) -> str:
        return "abc"

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.background.append((target, kwargs))

    def send(self, sid: str, packet: str) -> None:
        self.sockets[sid].queue.queue.append(packet)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"it would sleep for {seconds}")


class FakeWsgi:
    """Where the library answers a WebSocket's handshake."""

    def __init__(self, handler: Callable[[Any], Any], server: Any) -> None:
        self.handler = handler

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self.handler(environ["ws"])


class FakePoller:
    def __init__(self) -> None:
        self.watched: dict[int, Callable[[int], None]] = {}

    def watch(self, fd: int, ready: Callable[[int], None], read: bool = True, write: bool = False) -> None:
        assert write and not read, "the library reads what clients say"
        self.watched[fd] = ready

    def forget(self, fd: int) -> None:
        self.watched.pop(fd, None)


class Line:
    """One client's session, its engine, and its WebSocket. ``blocked`` are wires to be tried again."""

    def __init__(self, monkeypatch: Any, upgraded: bool = True, known: bool = True) -> None:
        self.session, self.ws, self.poller = FakeSession(upgraded), FakeWebSocket(), FakePoller()
        self.eio = FakeEngineIO(self.session)
        monkeypatch.setattr("app.green.patched", lambda: known)
        monkeypatch.setattr("app.green.Poller", lambda: self.poller)
        self.engine = Engine(self.eio, 3, compression=False)
        self.blocked: list[Any] = []
        monkeypatch.setattr(self.engine, "retry", self.blocked.append)
        self.engine._websockets[SID] = self.ws

    def queued(self) -> list[str]:
        found = list(self.session.queue.queue)
        self.session.queue.queue.clear()
        return found

    def queued_some(self) -> bool:
        return bool(self.session.queue.queue)

    def retry(self) -> None:
        """What the engine does a moment later."""
        blocked, self.blocked[:] = list(self.blocked), []
        for ready in blocked:
            ready()

    def writable(self, capacity: int = EVERYTHING) -> None:
        self.ws.fd.capacity = capacity
        for ready in list(self.poller.watched.values()):
            ready(2)

    def frames(self) -> list[str]:
        return frames(self.ws.fd.taken)


def frames(data: bytes) -> list[str]:
    """The texts of unmasked WebSocket frames, RFC 6455; an AssertionError for anything else."""
    found = []
    while data:
        assert data[0] == 0x81 and not data[1] & 0x80, data[:20]
        size, start = data[1], 2
        if size == 126:
            (size,), start = struct.unpack_from("!H", data, 2), 4
            assert size > 125, "the shortest form is required"
        elif size == 127:
            (size,), start = struct.unpack_from("!Q", data, 2), 10
            assert size > 65_535, "the shortest form is required"
        assert len(data) >= start + size, "a frame is not whole"
        found.append(data[start : start + size].decode())
        data = data[start + size :]
    return found


def sequences_in(messages: list[str], stream: str = "") -> list[int]:
    """Sequences in Engine.IO messages or Socket.IO packets, of one stream or of all; batches are opened."""
    packets = [json.loads(m.removeprefix("4")[1:]) for m in messages]
    events = [e for type, data in packets for _, e in (data if type == "events" else [(type, data)])]
    return [e["sequence"] for e in events if "sequence" in e and stream in ("", e["stream"])]


def wire_of(line: Line, batch: bool = False) -> SocketWire:
    return SocketWire(line.engine, SID, lambda viewer: None, batch)


def view(hub: Hub, stream: str, cursor: int, wire: SocketWire) -> Viewer:
    """As a socket joins."""
    viewer = hub.watch(stream, cursor)
    wire.try_upgrade()
    hub.attach(viewer, wire)
    return viewer
