"""Attacks over HTTP."""

from __future__ import annotations

import contextlib
import itertools
import json
import time

from bench.hostile.target import CLOSED, SERVED, Target, frame

AT_ONCE = 8
DRIPPING = 300
_turn = itertools.count()


def pipelining(target: Target) -> None:
    """Two hundred requests in one packet, on each of eight connections, and the next when they are answered."""
    requests = b"GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n" * 200

    def attack(target: Target) -> None:
        with contextlib.closing(target.connect()) as connection:
            while not target.over:
                connection.sendall(requests)
                answers = 0
                while answers < 200:
                    more = connection.recv(1 << 16)
                    if not more:
                        raise ConnectionResetError
                    answers += (found := more.count(b"HTTP/1.1 "))
                    target.answers[SERVED] += found

    target.crowd(AT_ONCE, attack)


def dripping_headers(target: Target) -> None:
    """Three hundred connections whose requests come a byte at a time and have no end."""
    connections = [target.connect() for _ in range(DRIPPING)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    while not target.over:
        for connection in list(connections):
            try:
                connection.sendall(b"x")
            except OSError:
                connections.remove(connection)
                target.answers[CLOSED] += 1
        time.sleep(0.1)
    target.answers[SERVED] += len(connections)  # waited for, so far
    for connection in connections:
        connection.close()


def huge_json(target: Target) -> None:
    """Two megabytes: one long text, or two hundred thousand fields; at the start of a task and at the sign-in."""
    long = json.dumps({"job_type": "emit_load", "params": {"text": "x" * 2_000_000}}).encode()
    wide = json.dumps({"job_type": "emit_load", "params": {f"k{n}": n for n in range(120_000)}}).encode()
    several = ((long, True), (wide, True), (wide, False))

    def attack(target: Target) -> None:
        body, signed_in = several[next(_turn) % 3]
        path = "/api/v2/agent/start" if signed_in else "/api/v2/auth/login"
        target.ask("POST", path, body, signed_in)

    target.crowd(AT_ONCE, attack)


def deep_json(target: Target) -> None:
    """A megabyte of brackets in a body, and as many as a message takes over a WebSocket."""
    body = b'{"job_type": "emit_load", "params": ' + b"[" * 1_000_000
    packet = frame(b'420["join_task",' + b"[" * 90_000 + b"]" * 1_000 + b"]")

    def attack(target: Target) -> None:
        if next(_turn) % 2:
            target.ask("POST", "/api/v2/agent/start", body)
            return
        with contextlib.closing(target.websocket()) as connection:
            connection.sendall(packet)
            target.hold(connection)

    target.crowd(AT_ONCE, attack)


def wrong_passwords(target: Target) -> None:
    """Sign-ins with passwords that are wrong, of an account that is there and of others."""

    def attack(target: Target) -> None:
        turn = next(_turn)
        email = target.order.email if turn % 2 else f"{turn}@example.org"
        body = json.dumps({"email": email, "password": f"wrong {turn}"}).encode()
        target.ask("POST", "/api/v2/auth/login", body, signed_in=False)

    target.crowd(2 * AT_ONCE, attack)


def large_lists(target: Target) -> None:
    """The largest pages that may be asked for, of all there are."""
    log = f"/api/v2/tasks/{target.order.log}"
    _read(
        target,
        "/api/v2/tasks?limit=200",
        "/api/v2/jobs/history?limit=200",
        f"{log}/events?limit=1000",
        f"{log}/logs?limit=1000",
        "/api/v2/notifications?limit=200",
        "/api/v2/tasks/counts",
    )


def rare_searches(target: Target) -> None:
    """For what is nowhere, among twenty thousand tasks and in a long log."""
    log = f"/api/v2/tasks/{target.order.log}/logs"
    _read(
        target,
        "/api/v2/tasks?q=nowhere-at-all&limit=200",
        f"{log}?q=nowhere-at-all&limit=1000",
        "/api/v2/tasks/counts?q=nowhere-at-all",
        f"{log}?q=nowhere-at-all&since_sequence=0",
    )


def _read(target: Target, *paths: str) -> None:
    target.crowd(AT_ONCE, lambda target: _asked(target, paths[next(_turn) % len(paths)]))


def _asked(target: Target, path: str) -> None:
    target.ask("GET", path)


def slow_downloads(target: Target) -> None:
    """A long log, downloaded twenty times at once by readers that take a kilobyte every twentieth of a second."""
    request = (
        f"GET /api/v2/tasks/{target.order.log}/logs/download HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {target.order.token}\r\n\r\n"
    ).encode()

    def attack(target: Target) -> None:
        with contextlib.closing(target.connect(4_096)) as connection:
            connection.settimeout(4)
            connection.sendall(request)
            first = connection.recv(1_024)
            if not first:
                raise ConnectionResetError
            target.answered(int(first.split(b" ", 2)[1]))
            while not target.over and connection.recv(1_024):
                time.sleep(0.05)

    target.crowd(20, attack)


def bad_handshakes(target: Target) -> None:
    """Upgrades of 2010 and without a key, sessions that are none, TLS, and what no protocol has."""
    upgrade = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
    several = (
        upgrade + b"Connection: Upgrade\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\r\n12345678",
        upgrade + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        upgrade + b"\r\n",
        b"GET /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: bench\r\n\r\n",
        b"POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: bench\r\nContent-Length: 3\r\n\r\n4xx",
        b"GET /socket.io/?EIO=99&transport=x HTTP/1.1\r\nHost: bench\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET / HTTP/1.1\r\nHost: bench\r\nX-Large: " + b"x" * 100_000 + b"\r\n\r\n",
        b"\x00" * 1_000 + b"\r\n\r\n",
    )

    def attack(target: Target) -> None:
        with contextlib.closing(target.connect()) as connection:
            connection.sendall(several[next(_turn) % len(several)])
            said = connection.recv(1 << 12).split(b" ", 2)
            if len(said) < 2 or not said[1].isdigit():
                raise ConnectionResetError
            target.answered(int(said[1]))

    target.crowd(AT_ONCE, attack)
