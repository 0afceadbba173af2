"""Attacks over WebSockets."""

from __future__ import annotations

import contextlib

from bench.hostile.target import SERVED, Target, event, frame, until

AT_ONCE = 4
FRAMES = 20_000  # sent in one go


def fragments(target: Target) -> None:
    """Sends endless messages in pieces of one byte; every other connection has signed in."""
    pieces = frame(b"4", 1, last=False) + frame(b"x", 0, last=False) * FRAMES
    target.crowd(AT_ONCE, lambda target: _pour(target, pieces))


def pings(target: Target) -> None:
    """Sends control frames as fast as possible; every other connection has signed in."""
    target.crowd(AT_ONCE, lambda target: _pour(target, frame(b"x", 9) * FRAMES))


def _pour(target: Target, data: bytes) -> None:
    with contextlib.closing(target.websocket(signed_in=target.turn() % 2 == 0)) as connection:
        connection.settimeout(0.1)
        view = memoryview(data)
        for _ in target.rounds():
            with contextlib.suppress(TimeoutError):
                view = view[connection.send(view) :] or memoryview(data)
        target.hold()
        target.answers[SERVED] += 1  # perhaps slowed down


def many_rooms(target: Target) -> None:
    """Joins and leaves a hundred rooms with each socket; names sixteen rooms with each stream."""

    def attack(target: Target) -> None:
        if target.turn() % 2:
            with contextlib.closing(target.websocket()) as connection:
                tasks = target.order.tasks[:100]
                connection.sendall(b"".join(event("join_task", {"task_id": task}) for task in tasks))
                until(connection, b"430[", len(tasks))
                target.answers[SERVED] += 1
        else:
            rooms = ",".join(f"task:{task}" for task in target.order.tasks[:16])
            _stream(target, f"/api/v2/stream?rooms={rooms}")

    target.crowd(AT_ONCE, attack)


def rejoins(target: Target) -> None:
    """Joins a long log from its start and leaves it, again and again, and reads all that comes."""
    task = target.order.log
    join = event("join_task", {"task_id": task, "since_sequence": 0})
    joins = (join + event("leave_task", {"task_id": task})) * 7 + join

    def attack(target: Target) -> None:
        with contextlib.closing(target.websocket()) as connection:
            connection.settimeout(0.05)
            for _ in target.rounds():
                connection.sendall(joins)
                with contextlib.suppress(TimeoutError):
                    while connection.recv(1 << 18):
                        continue
                    raise ConnectionResetError
                target.answers[SERVED] += 1

    target.crowd(AT_ONCE, attack)


def half_open(target: Target) -> None:
    """Joins the run and the long log on both wires, and then reads and sends nothing."""

    def attack(target: Target) -> None:
        turn = target.turn()
        task = target.order.run if turn % 4 < 2 else target.order.log
        if turn % 2:
            connection = target.websocket(receive_buffer=4_096)
            connection.sendall(event("join_task", {"task_id": task, "since_sequence": 0}))
        else:
            connection = target.connect(4_096)
            connection.sendall(target.request(f"/api/v2/tasks/{task}/stream?since_sequence=0"))
        with contextlib.closing(connection):
            target.hold()
            target.answers[SERVED] += 1

    target.crowd(100, attack)


def _stream(target: Target, path: str) -> None:
    with contextlib.closing(target.connect()) as connection:
        connection.sendall(target.request(path))
        status = connection.recv(1 << 16).split(b" ", 2)
        if len(status) < 2:
            raise ConnectionResetError
        target.answered(int(status[1]))
