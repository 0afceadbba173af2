"""What a connection costs that asks for much and takes it in drips."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest

from app.up.embedded import free_port
from tests.support.system import ROOT

pytestmark = pytest.mark.slow

SIZE = 8_000_000  # more than the kernels at both ends keep
PROGRAM = """
from app import green
green.patch()
import sys
from app.green import outlet, server
from app.green.unsent import Unsent

outlet.SLOWEST, outlet.LATE_SECONDS = 2_000_000, 1

def app(environ, start):
    environ["taskroom.whose"] = environ["PATH_INFO"]
    start("200 OK", [])
    size = int(environ["QUERY_STRING"])
    return [b"x" * size] if environ["PATH_INFO"] != "/blocks" else (b"x" * 64_000 for _ in range(size // 64_000))

print("serving", flush=True)
server.serve(app, "127.0.0.1", {port}, 1.0, lambda: None, unsent=Unsent(in_all={in_all}))
"""
Connect = Callable[..., socket.socket]


@contextmanager
def serving(in_all: int) -> Iterator[Connect]:
    port = free_port()

    def connect(small: bool = False) -> socket.socket:
        with ExitStack() as stack:
            connection = stack.enter_context(socket.socket())
            if small:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(60)
            connection.connect(("127.0.0.1", port))
            stack.pop_all()
        return connection

    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(port=port, in_all=in_all)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout and process.stdout.readline()
            while True:  # it listens a moment later
                try:
                    connect().close()
                    break
                except ConnectionRefusedError:
                    continue
            yield connect
        finally:
            process.kill()


def get(path: str, size: int) -> bytes:
    return f"GET /{path}?{size} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def taken(connection: socket.socket, most: float, pause: float = 0) -> tuple[int, bool]:
    """How many bytes came, up to so many, with a pause before each few of them; whether the server closed."""
    count, pauses = 0, threading.Event()
    try:
        while count < most:
            pauses.wait(pause)
            part = connection.recv(4096 if pause else 65_536)
            if not part:
                return count, True
            count += len(part)
    except ConnectionResetError:
        return count, True
    return count, False


@pytest.fixture(scope="module")
def connect() -> Iterator[Connect]:
    with serving(in_all=10 * SIZE) as connect:
        yield connect


REQUESTS: list[Any] = [
    pytest.param(get("", SIZE), id="one large answer"),
    pytest.param(get("blocks", SIZE), id="an answer in blocks"),
    pytest.param(get("", 8_000) * 1_000, id="many small ones asked for at once"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_who_takes_drips_is_cut_off(connect: Connect, request_: bytes) -> None:
    with closing(connect(small=True)) as connection:
        connection.sendall(request_)

        # 40 kB a second, where two millions are the least.
        count, closed = taken(connection, SIZE / 16, pause=0.1)

    assert closed, f"{count} bytes at that pace"


@pytest.mark.parametrize("request_", REQUESTS)
def test_who_takes_it_fast_has_all_of_it(connect: Connect, request_: bytes) -> None:
    with closing(connect()) as connection:
        connection.sendall(request_)

        assert taken(connection, SIZE) == (pytest.approx(SIZE, rel=0.02), False)


def test_a_pause_between_two_answers_counts_for_nothing(connect: Connect) -> None:
    with closing(connect()) as connection:
        for _ in range(3):
            connection.sendall(get("", 8_000))
            assert taken(connection, 8_000)[1] is False
            threading.Event().wait(0.5)

        connection.sendall(get("", SIZE))

        assert taken(connection, SIZE) == (pytest.approx(SIZE, rel=0.02), False)


def test_a_process_that_holds_too_much_cuts_off_who_holds_most() -> None:
    with serving(in_all=2 * SIZE + 1_000) as connect, ExitStack() as stack:
        connections = [stack.enter_context(closing(connect())) for _ in range(3)]
        greedy, again, modest = connections
        for connection in (greedy, again):
            connection.sendall(get("greedy", SIZE))
            assert connection.recv(1)

        modest.sendall(get("modest", SIZE // 2))

        assert taken(modest, SIZE // 2) == (pytest.approx(SIZE // 2, rel=0.02), False)
        assert taken(again, SIZE) == (pytest.approx(SIZE, rel=0.02), False)
        assert taken(greedy, SIZE)[1], "its oldest makes room"
