"""Attacks over HTTP."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial

from bench.hostile import bodies
from bench.hostile.target import CLOSED, SERVED, Target, frame, until

AT_ONCE = 8
DRIPPING = 300
START, WEBHOOKS, LOGIN = "/api/v2/agent/start", "/api/v2/webhooks", "/api/v2/auth/login"


def pipelining(target: Target) -> None:
    """Sends two hundred requests in one packet on each of eight connections, and again after the responses."""
    requests = b"GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n" * 200

    def attack(target: Target) -> None:
        with contextlib.closing(target.connect()) as connection:
            for _ in target.rounds():
                connection.sendall(requests)
                until(connection, b"HTTP/1.1 200", 200)
                target.answers[SERVED] += 200

    target.crowd(AT_ONCE, attack)


def dripping_headers(target: Target) -> None:
    """Opens three hundred connections whose requests arrive byte by byte and never end."""
    connections = [target.connect() for _ in range(DRIPPING)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    for _ in target.rounds():
        for connection in list(connections):
            try:
                connection.sendall(b"x")
            except OSError:
                connections.remove(connection)
                target.answers[CLOSED] += 1
        time.sleep(0.1)
    target.hold()
    target.answers[SERVED] += len(connections)  # the server still waits for them
    for connection in connections:
        connection.close()


def huge_json(target: Target) -> None:
    """Sends the largest and worst bodies that are read, for tasks, webhooks and sign-in, and larger ones."""
    _in_turn(
        target,
        [partial(_post, START, body) for body in bodies.starts()]
        + [partial(_post, WEBHOOKS, body) for body in bodies.webhooks()]
        + [partial(_sign_in, body) for body in bodies.sign_ins()],
    )


def deep_json(target: Target) -> None:
    """Sends lists and objects nested as deeply as they are read, and deeper, in bodies and over WebSockets."""
    _in_turn(
        target,
        [partial(_post, START, body) for body in bodies.deep()]
        + [partial(_packet, packet) for packet in bodies.packets()],
    )


def _post(path: str, body: bytes, target: Target) -> None:
    """With a key the server computes a digest of the body too."""
    target.ask("POST", path, body, target.bearer | {"Idempotency-Key": uuid.uuid4().hex})


def _sign_in(body: bytes, target: Target) -> None:
    target.ask("POST", LOGIN, body, headers={})


def _packet(packet: bytes, target: Target) -> None:
    with contextlib.closing(target.websocket()) as connection:
        connection.sendall(frame(b"420" + packet))
        until(connection, b"430[")
        target.answers[SERVED] += 1


def wrong_passwords(target: Target, at_once: int = 2 * AT_ONCE) -> None:
    """Signs in with wrong passwords, for one account and for others."""

    def attack(target: Target) -> None:
        turn = target.turn()
        email = target.order.email if turn % 2 else f"{turn}@example.org"
        _sign_in(json.dumps({"email": email, "password": f"wrong {turn}"}).encode(), target)

    target.crowd(at_once, attack)


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
    """Searches for a text that does not exist, among thousands of tasks and in a long log."""
    log = f"/api/v2/tasks/{target.order.log}/logs"
    _read(
        target,
        "/api/v2/tasks?q=nowhere-at-all&limit=200",
        f"{log}?q=nowhere-at-all&limit=1000",
        "/api/v2/tasks/counts?q=nowhere-at-all",
        f"{log}?q=nowhere-at-all&since_sequence=0",
    )


def _read(target: Target, *paths: str) -> None:
    _in_turn(target, [partial(_get, path) for path in paths])


def _get(path: str, target: Target) -> None:
    target.ask("GET", path)


def _in_turn(target: Target, attacks: Sequence[Callable[[Target], None]]) -> None:
    target.crowd(AT_ONCE, lambda target: attacks[target.turn() % len(attacks)](target))


def slow_downloads(target: Target) -> None:
    """Downloads a long log twenty times at once, a kilobyte every twentieth of a second."""
    request = (
        f"GET /api/v2/tasks/{target.order.log}/logs/download HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {target.order.token}\r\n\r\n"
    ).encode()

    def attack(target: Target) -> None:
        with contextlib.closing(target.connect(4_096)) as connection:
            connection.settimeout(target.order.patience + 1)
            connection.sendall(request)
            first = connection.recv(1_024)
            if not first:
                raise ConnectionResetError
            target.answered(status := int(first.split(b" ", 2)[1]))
            if status >= 400:
                time.sleep(0.05)
                return
            for _ in target.rounds():
                if not connection.recv(1_024):
                    break
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
            connection.settimeout(1)  # the server waits longer for the end of some
            connection.sendall(several[target.turn() % len(several)])
            status_line = connection.recv(1 << 12).split(b" ", 2)
            if len(status_line) < 2 or not status_line[1].isdigit():
                raise ConnectionResetError
            target.answered(int(status_line[1]))

    target.crowd(AT_ONCE, attack)
