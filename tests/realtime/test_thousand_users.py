"""What the story of notifications in real time asks of a thousand connections: each is told once, and all take little
memory.

How soon they are there and told, and their CPU, are measured by `script/bench users` beside what is asked."""

from __future__ import annotations

import selectors
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.system import System, User

CONNECTIONS = 1_000
USERS = 20
NOTICE = b"event: notification\n"

# The document allows 10 MB a connection, which nothing that works at all would miss. So much for all thousand together.
GROWN_BYTES = 60_000_000


class Crowd:
    """The connections, each with what it has received."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._selector = selectors.DefaultSelector()
        self.received: dict[socket.socket, bytes] = {}

    def open(self, user: User) -> None:
        """One more connection; returns when its first words are there."""
        place = str(self._address.hostname), int(self._address.port or 80)
        connection = socket.create_connection(place, timeout=60)
        request = (
            f"GET /api/notifications/stream HTTP/1.0\r\nHost: {self._address.netloc}\r\n"
            f"Authorization: Bearer {user.token}\r\nAccept: text/event-stream\r\n\r\n"
        )
        connection.sendall(request.encode())
        data = b""
        while b"event: connected\n" not in data:
            more = connection.recv(65_536)
            assert more, data
            data += more
        self.received[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def until_all_are_told(self) -> None:
        reached = 0
        while reached < len(self.received):
            ready = self._selector.select(60)
            assert ready, f"{len(self.received) - reached} hear nothing"
            for key, _ in ready:
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                had = self.received[connection].count(NOTICE)
                more = connection.recv(65_536)
                assert more, "closed"
                self.received[connection] += more
                reached += had == 0 and self.received[connection].count(NOTICE) > 0

    def close(self) -> None:
        for connection in self.received:
            connection.close()


def resident(process: subprocess.Popen[bytes]) -> int:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS:"))


@pytest.mark.alone
def test_a_thousand_connections_are_told_once_each_and_take_little_memory(
    system: System, notify: Callable[..., Any]
) -> None:
    users = [system.user() for _ in range(USERS)]
    with system.web() as url:
        process, crowd = system.processes[-1], Crowd(url)
        for user in users:  # what the first connection of a user costs is made once
            crowd.open(user)
        before = resident(process)

        for n in range(CONNECTIONS - USERS):
            crowd.open(users[n % USERS])
        grown = resident(process) - before
        for user in users:
            notify(user.id, "Transcription Complete", "Your audio is ready", "success")
        crowd.until_all_are_told()
        crowd.close()
    for user in users:
        user.client.close()

    assert len(crowd.received) == CONNECTIONS
    assert grown < GROWN_BYTES
    assert {data.count(NOTICE) for data in crowd.received.values()} == {1}, "once each"
