"""The peers: small programs, each written as its users would write it, started one after another."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.up.programs import find_node
from bench.peers.running import running
from bench.rooms import Room, SocketRoom, SseRoom
from bench.stand import Publishing, Stand, Task

HERE = Path(__file__).parent
NGINX = Path(sys.prefix) / "nginx" / "usr"  # script/bench unpacks it here
MODULE = NGINX / "lib" / "nginx" / "modules" / "ngx_nchan_module.so"


class Peer:
    """A running peer: its process, its address, and the way to publish to it."""

    def __init__(self, kind: Kind, stand: Stand, port: int, pid: int) -> None:
        self.name, self.wires, self.pid = kind.name, (kind.wire,), pid
        self._kind, self._stand, self._port = kind, stand, port

    def task(self) -> Task:
        return Task(str(uuid.uuid4()), 0)

    def room(self, wire: str, task: Task, number: int = 0) -> Room:
        address = ("127.0.0.1", self._port)
        if wire == "Socket.IO":
            return SocketRoom(address, {"task_id": task.id}, number)
        return SseRoom(address, f"/tasks/{task.id}/stream", number, greets=self._kind.greets)

    def publisher(self, tasks: list[Task], rate: float, events: int) -> Publishing:
        settings: dict[str, Any] = {"redis_url": self._stand.redis_url}
        if self._kind.sink == "nchan":
            settings = {"port": self._port}
        command = None
        if self._kind.sink == "node":
            command = [_node(), str(HERE / "node" / "publish.mjs")]
        return self._stand.publishing(self._kind.sink, settings, tasks, rate, events, command)


@dataclass(frozen=True, slots=True)
class Kind:
    """A peer that can be started."""

    name: str
    wire: str
    program: str
    sink: str
    greets: bool = True

    @property
    def wires(self) -> tuple[str, ...]:
        return (self.wire,)

    def missing(self) -> str:
        if self.sink == "node" and not (HERE / "node" / "node_modules").is_dir():
            return "its npm packages are not installed"
        if self.sink == "nchan" and not MODULE.exists():
            return "nginx with libnginx-mod-nchan could not be fetched"
        return ""

    @contextmanager
    def start(self, stand: Stand) -> Iterator[Peer]:
        with running(self.name, stand, partial(self._command, stand)) as (port, pid):
            yield Peer(self, stand, port, pid)

    def _command(self, stand: Stand, port: int) -> list[str]:
        if self.sink == "node":
            return [_node(), str(HERE / self.program)]
        if self.sink != "nchan":
            # By path, not as a module of this package: eventlet must patch before any other import.
            return [sys.executable, "-P", "-W", "ignore::DeprecationWarning", str(HERE / self.program)]
        folder = stand.home.run / "nchan"
        folder.mkdir(exist_ok=True)
        text = (HERE / self.program).read_text().replace("PORT", str(port)).replace("MODULE", str(MODULE))
        (folder / "nginx.conf").write_text(text)
        return [
            str(NGINX / "sbin" / "nginx"),
            "-p",
            f"{folder}/",
            "-c",
            str(folder / "nginx.conf"),
            "-e",
            "stderr",
        ]


def _node() -> str:
    folder = find_node()
    return str(folder / "node") if folder else "node"


PEERS = [
    Kind("queue per viewer, eventlet", "SSE", "flask_sse_app.py", "redis"),
    Kind("sse-starlette, uvicorn", "SSE", "starlette_app.py", "redis"),
    Kind("nginx nchan", "SSE", "nchan.conf", "nchan", greets=False),
    Kind("Flask-SocketIO", "Socket.IO", "flask_socketio_app.py", "flask-socketio"),
    Kind("Node socket.io", "Socket.IO", "node/server.mjs", "node"),
]
