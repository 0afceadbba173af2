"""The server on eventlet's loop, without a proxy before it: what a connection may take of it, and for how long."""

from __future__ import annotations

import inspect
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from engineio.base_server import BaseServer

from app.config import Config
from app.realtime.dialects import DialectCodec
from app.up.embedded import free_port
from tests.support.system import ROOT

pytestmark = pytest.mark.slow

# Each answer says how many turns of the loop there were so far; /read says how many there were while it read.
PROGRAM = """
from app import green
green.patch()
import socket
import sys
import eventlet
from app.green import body, server
from app.green.arrivals import Arrivals
from app.observability.log_format import configure_logging

configure_logging(True)
server.HEAD_SECONDS, server.SOCKET_SECONDS, body.BODY_SECONDS = {head}, {idle}, {body}
turns, stays, leave = 0, eventlet.Event(), eventlet.Event()

def count():
    global turns
    while True:
        eventlet.sleep(0)
        turns += 1

def fails():
    raise RuntimeError("nobody waits for me")

def breaks():
    yield b"some of it"
    raise RuntimeError("in the middle of an answer")

def app(environ, start):
    before, path = turns, environ["PATH_INFO"]
    if path == "/read":
        try:
            read = 0
            while piece := environ["wsgi.input"].read(1000):
                read += len(piece)
        except (OSError, ValueError) as error:
            start("400 Bad Request", [])
            return [type(error).__name__.encode()]
        start("200 OK", [])
        return [b"%d %d" % (read, turns - before)]
    if path == "/stay":
        stays.send()
        leave.wait()
    elif path == "/stays":
        stays.wait()
    elif path == "/breaks":
        start("200 OK", [])
        return breaks()
    elif path == "/leave":
        leave.send()
    elif path == "/options":
        start("200 OK", [])
        own, names = environ["eventlet.input"].get_socket(), environ["QUERY_STRING"].split("+")
        found = [own.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
        return [" ".join(map(str, found)).encode()]
    elif path == "/fails":
        eventlet.spawn_n(fails)
        eventlet.spawn_after(0, fails)
    start("200 OK", [])
    return [b"%d" % turns]

eventlet.spawn(count)
server.serve(app, "127.0.0.1", {port}, 1.0, lambda: None, arrivals=Arrivals(3))
"""

Connect = Callable[[], socket.socket]


@contextmanager
def serving(
    head: float = 300, idle: float = 300, body: float = 300
) -> Iterator[tuple[Connect, subprocess.Popen[str]]]:
    port = free_port()
    code = PROGRAM.format(port=port, head=head, idle=idle, body=body)
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            assert any("serving" in line for line in process.stderr), "it has ended"
            yield lambda: socket.create_connection(("127.0.0.1", port), 60), process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def connect() -> Iterator[Connect]:
    with serving() as (connect, _):
        yield connect


def dripped(connection: socket.socket, begin: bytes, drop: bytes) -> bytes:
    """The answer to who begins, and then sends a drop now and then for as long as it is let."""
    connection.sendall(begin)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.05):
            try:
                connection.sendall(drop)
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        return all_of(connection)
    finally:
        over.set()
        dripping.join()


def all_of(connection: socket.socket) -> bytes:
    """Until the server closes."""
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:  # it closes before all is read that was sent
        pass
    return answer


def answers(connection: socket.socket, count: int) -> list[bytes]:
    """The bodies of so many answers, whose lengths their heads tell."""
    stream, bodies = connection.makefile("rb"), []
    for _ in range(count):
        length = 0
        assert stream.readline(), "the server closed"
        while line := stream.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        bodies.append(stream.read(length))
    return bodies


def asked(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    return answers(connection, 1)[0]


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n"
CHUNKED, LONG = b"Transfer-Encoding: chunked", b"Content-Length: 100000"


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
def test_a_head_that_drips_ends_with_its_time(before: bytes) -> None:
    with serving(head=1, idle=1) as (connect, _), closing(connect()) as connection:
        if before:
            asked(connection, before)

        answer = dripped(connection, b"GET / HTTP/1.1\r\nX-Slow: ", b"x")

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    with serving(head=1) as (connect, _), closing(connect()) as connection:
        assert all_of(connection) == b""


@pytest.mark.parametrize(("how", "drop"), [(LONG, b"x"), (CHUNKED, b"1\r\nx\r\n")], ids=["length", "chunked"])
def test_a_body_that_drips_ends_with_its_time(how: bytes, drop: bytes) -> None:
    with serving(body=1) as (connect, _), closing(connect()) as connection:
        answer = dripped(connection, POST % (b"read", how), drop)

    assert answer.endswith(b"TimeoutError")


@pytest.mark.parametrize(("how", "drop"), [(LONG, b"x"), (CHUNKED, b"1\r\nx\r\n")], ids=["length", "chunked"])
def test_one_that_nobody_reads_too(how: bytes, drop: bytes) -> None:
    with serving(body=1) as (connect, _), closing(connect()) as connection:
        assert dripped(connection, POST % (b"", how), drop).startswith(b"HTTP/1.1 200 ")


def test_a_body_of_crumbs_lets_others_have_their_turn(connect: Connect) -> None:
    with closing(connect()) as connection:
        request = POST % (b"read", CHUNKED) + b"1\r\nx\r\n" * 6_400 + b"0\r\n\r\n"

        read, turns = map(int, asked(connection, request).split())

    assert read == 6_400
    assert turns >= 100, "a turn after each 64 of them"


@pytest.mark.parametrize("path", [b"read", b""], ids=["read", "ignored"])
def test_a_body_of_too_many_crumbs_ends_the_connection(connect: Connect, path: bytes) -> None:
    with closing(connect()) as connection:
        answer = dripped(connection, POST % (path, CHUNKED), b"1\r\nx\r\n" * 1_000)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert path == b"" or answer.endswith(b"ChunkReadError")


def test_a_body_that_nobody_reads_is_thrown_away_up_to_a_length(connect: Connect) -> None:
    with closing(connect()) as connection:
        asked(connection, POST % (b"", b"Content-Length: 2000000") + b"x" * 2_000_000)
        assert asked(connection, GET), "the next request is served"

        answer = dripped(connection, POST % (b"", b"Content-Length: 2000000000"), b"x" * 100_000)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_many_requests_at_once_let_others_have_their_turn_between_them(connect: Connect) -> None:
    with closing(connect()) as connection:
        connection.sendall(GET * 100)

        turns = answers(connection, 100)

    assert len(set(turns)) == 100, "each in a turn of its own"


def test_the_oldest_without_a_request_makes_room_and_those_served_do_not(connect: Connect) -> None:
    with closing(connect()) as served, closing(connect()) as first:
        served.sendall(b"GET /stay HTTP/1.1\r\nHost: x\r\n\r\n")
        with closing(connect()) as other:
            asked(other, b"GET /stays HTTP/1.1\r\nHost: x\r\n\r\n")
        first.sendall(b"GET / HTT")
        others = [connect() for _ in range(3)]

        assert all_of(first) == b""
        for other in others:
            assert asked(other, GET)
            other.close()
        with closing(connect()) as last:
            asked(last, b"GET /leave HTTP/1.1\r\nHost: x\r\n\r\n")
        assert served.recv(9) == b"HTTP/1.1 "


def test_what_fails_on_the_loop_is_a_record_of_the_log() -> None:
    with serving() as (connect, process):
        with closing(connect()) as connection:
            asked(connection, b"GET /fails HTTP/1.1\r\nHost: x\r\n\r\n")
        assert process.stderr
        lines = [json.loads(process.stderr.readline()) for _ in range(2)]
        process.kill()
        rest = process.stderr.read()

    assert all("nobody waits for me" in line["exception"] for line in lines)
    assert rest == ""


def test_so_is_what_fails_while_an_answer_is_sent_and_who_goes_away_is_none() -> None:
    with serving() as (connect, process):
        with closing(connect()) as gone:
            gone.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        with closing(connect()) as connection:
            connection.sendall(b"GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"some of it" in all_of(connection)
        process.kill()  # what it had to say it has said: it logs before it closes
        assert process.stderr
        lines = [json.loads(line) for line in process.stderr]

    assert [line["message"] for line in lines] == ["an answer failed while it was sent"]
    assert "in the middle of an answer" in lines[0]["exception"]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the option is Linux's")
def test_a_peer_that_vanishes_is_gone_within_a_minute(connect: Connect):
    """The kernel ends a connection so long after the first data that is not acknowledged, at the latest after the next
    comment or ping; a socket is ended too when the answer to its ping is late."""
    with closing(connect()) as connection:
        connection.sendall(b"GET /options?TCP_USER_TIMEOUT+TCP_KEEPIDLE HTTP/1.1\r\nHost: x\r\n\r\n")
        (options,) = answers(connection, 1)
    config = Config("", "", "")
    comment = DialectCodec.keepalive_every * config.keepalive_seconds  # the rarest one
    answer = inspect.signature(BaseServer.__init__).parameters["ping_timeout"].default

    assert options == b"28000 16"
    assert (comment, config.ping_seconds, answer) == (30, 25, 20)
    assert max(comment + 28, config.ping_seconds + 28, config.ping_seconds + answer) <= 60
