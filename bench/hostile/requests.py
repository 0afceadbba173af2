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
    """Sends two hundred requests in one packet on each of eight connections, and again after the responses."""
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
    """Opens three hundred connections whose requests arrive byte by byte and never end."""
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
    target.answers[SERVED] += len(connections)  # the server still waits for them
    for connection in connections:
        connection.close()


def huge_json(target: Target) -> None:
    """Sends two megabytes, as one long text or two hundred thousand fields, to the start of tasks and to sign-in."""
    long = json.dumps({"job_type": "emit_load", "params": {"text": "x" * 2_000_000}}).encode()
    wide = json.dumps({"job_type": "emit_load", "params": {f"k{n}": n for n in range(120_000)}}).encode()
    several = ((long, True), (wide, True), (wide, False))

    def attack(target: Target) -> None:
        body, signed_in = several[next(_turn) % 3]
        path = "/api/v2/agent/start" if signed_in else "/api/v2/auth/login"
        target.ask("POST", path, body, signed_in)

    target.crowd(AT_ONCE, attack)


def deep_json(target: Target) -> None:
    """Sends a megabyte of brackets in a body, and as many as fit in a message over a WebSocket."""
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
    """Signs in with wrong passwords, for an existing account and for others."""

    def attack(target: Target) -> None:
        turn = next(_turn)
        email = target.order.email if turn % 2 else f"{turn}@example.org"
        body = json.dumps({"email": email, "password": f"wrong {turn}"}).encode()
        target.ask("POST", "/api/v2/auth/login", body, signed_in=False)

    target.crowd(2 * AT_ONCE, attack)


def large_lists(target: Target) -> None:
    """Requests the largest pages of every list."""
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
    """Searches for a text that does not exist, among twenty thousand tasks and in a long log."""
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
    """Downloads a long log twenty times at once, a kilobyte every twentieth of a second."""
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
    """Sends upgrades of 2010 and without a key, unknown sessions, TLS, and bytes of no protocol."""
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
            status_line = connection.recv(1 << 12).split(b" ", 2)
            if len(status_line) < 2 or not status_line[1].isdigit():
                raise ConnectionResetError
            target.answered(int(status_line[1]))

    target.crowd(AT_ONCE, attack)
