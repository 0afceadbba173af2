"""Attacks over WebSockets."""

from __future__ import annotations

import contextlib
import itertools
import time

from bench.hostile.target import SERVED, Target, event, frame

AT_ONCE = 4
_turn = itertools.count()


def fragments(target: Target) -> None:
    """Sends endless messages in pieces of one byte; every other connection has signed in."""
    pieces = frame(b"4", 1, last=False) + frame(b"x", 0, last=False) * 2_000
    target.crowd(AT_ONCE, lambda target: _pour(target, pieces, next(_turn) % 2 == 0))


def pings(target: Target) -> None:
    """Sends control frames as fast as possible; every other connection has signed in."""
    target.crowd(AT_ONCE, lambda target: _pour(target, frame(b"x", 9) * 2_000, next(_turn) % 2 == 0))


def _pour(target: Target, data: bytes, signed_in: bool) -> None:
    with contextlib.closing(target.websocket(signed_in)) as connection:
        connection.settimeout(0.1)
        view = memoryview(data)
        while not target.over:
            with contextlib.suppress(TimeoutError):
                view = view[connection.send(view) :] or memoryview(data)
        target.answers[SERVED] += 1  # perhaps slowed down


def many_rooms(target: Target) -> None:
    """Joins and leaves a hundred rooms with each socket; names sixteen rooms with each stream."""

    def attack(target: Target) -> None:
        if next(_turn) % 2:
            with contextlib.closing(target.websocket()) as connection:
                tasks = target.order.tasks[:100]
                connection.sendall(b"".join(event("join_task", {"task_id": task}) for task in tasks))
                end, received = time.monotonic() + 3, b""
                while received.count(b"430[") < len(tasks) and time.monotonic() < end:
                    more = connection.recv(1 << 16)
                    if not more:
                        raise ConnectionResetError
                    received += more
                target.answers[SERVED] += 1
        else:
            rooms = ",".join(f"task:{task}" for task in target.order.tasks[:16])
            _stream(target, f"/api/v2/stream?rooms={rooms}")

    target.crowd(AT_ONCE, attack)


def rejoins(target: Target) -> None:
    """Joins a long log from its start and leaves it, again and again, and reads all of it."""
    task = target.order.log
    both = event("join_task", {"task_id": task, "since_sequence": 0}) + event("leave_task", {"task_id": task})

    def attack(target: Target) -> None:
        with contextlib.closing(target.websocket()) as connection:
            connection.settimeout(0.05)
            while not target.over:
                connection.sendall(both * 8)
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1 << 18):
                        raise ConnectionResetError
                target.answers[SERVED] += 1

    target.crowd(AT_ONCE, attack)


def half_open(target: Target) -> None:
    """Joins the run and the long log on both wires, and then reads and sends nothing."""

    def attack(target: Target) -> None:
        turn = next(_turn)
        task = target.order.run if turn % 4 < 2 else target.order.log
        if turn % 2:
            connection = target.websocket(receive_buffer=4_096)
            connection.sendall(event("join_task", {"task_id": task, "since_sequence": 0}))
        else:
            connection = target.connect(4_096)
            connection.sendall(_request(target, f"/api/v2/tasks/{task}/stream?since_sequence=0"))
        with contextlib.closing(connection):
            time.sleep(max(0.0, target.ends_at - time.monotonic()))
            target.answers[SERVED] += 1

    target.crowd(100, attack)


def _stream(target: Target, path: str) -> None:
    with contextlib.closing(target.connect()) as connection:
        connection.sendall(_request(target, path))
        status = connection.recv(1 << 16).split(b" ", 2)
        if len(status) < 2:
            raise ConnectionResetError
        target.answered(int(status[1]))


def _request(target: Target, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {target.order.token}\r\n\r\n"
    ).encode()
