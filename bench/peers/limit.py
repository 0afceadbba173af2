"""The limit of the machine: a C program that only sends. Compiled where there is a compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import LIMIT
from bench.peers.running import running
from bench.rooms import Room, SocketRoom, SseRoom
from bench.stand import Publishing, Stand, Task

SOURCE = Path(__file__).with_suffix(".c")
PROGRAM = Path(sys.prefix) / "bench-limit"


class Limit:
    """The compiled program, for both wires."""

    name = LIMIT
    wires = ("SSE", "Socket.IO")

    def missing(self) -> str:
        return "" if shutil.which("cc") else "there is no C compiler"

    @contextmanager
    def start(self, stand: Stand) -> Iterator[RunningLimit]:
        subprocess.run(("cc", "-O2", "-Wall", "-Werror", "-o", PROGRAM, SOURCE), check=True)
        with running(self.name, stand, lambda port: [str(PROGRAM), str(port)]) as (port, pid):
            yield RunningLimit(stand, port, pid)


class RunningLimit:
    name, wires = Limit.name, Limit.wires

    def __init__(self, stand: Stand, port: int, pid: int) -> None:
        self._stand, self._address, self.pid = stand, ("127.0.0.1", port), pid

    def task(self) -> Task:
        return Task(str(uuid.uuid4()), 0)

    def room(self, wire: str, task: Task, number: int = 0) -> Room:
        if wire == "Socket.IO":
            return SocketRoom(self._address, {"task_id": task.id}, number)
        return SseRoom(self._address, "/", number)

    def publisher(self, tasks: list[Task], rate: float, events: int) -> Publishing:
        return self._stand.publishing("limit", {"port": self._address[1]}, tasks, rate, events)
