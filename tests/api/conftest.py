"""More web processes over the same database, one of each kind for all tests of REST."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.system import System


@pytest.fixture(scope="session")
def production(system: System) -> Iterator[str]:
    """As it is deployed, with all its limits."""
    with system.web(TASKROOM_ENV="production", TASKROOM_BENCH="0") as url:
        yield url


@pytest.fixture(scope="session")
def without_redis(system: System) -> Iterator[str]:
    """Redis is away, and so is the broker."""
    with system.web(TASKROOM_BENCH="0", REDIS_URL="redis://127.0.0.1:1/0") as url:
        yield url


class Line:
    """A TCP line to Postgres that can be cut: connections end and new ones are closed at once."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._is_cut = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for end in self._open:
            _shut(end)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        _shut(self._listener)
        for end in (self._listener, *self._open):
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(self._to)
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:  # the other end is gone, which is what closes this one
        pass
    finally:
        _shut(sink)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        return


@pytest.fixture
def line(system: System) -> Iterator[Line]:
    url = urlsplit(system.database_url)
    line = Line((str(url.hostname), int(url.port or 5432)))
    yield line
    line.close()


@pytest.fixture
def behind_line(system: System, line: Line) -> Iterator[str]:
    """A web process that reaches Postgres only through ``line``."""
    url = urlsplit(system.database_url)
    through = url._replace(netloc=url.netloc.rpartition(":")[0] + f":{line.port}")
    with system.web(DATABASE_URL=through.geturl()) as address:
        yield address
