"""Attacks by crowds of streams of one account."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
from collections.abc import Iterator, Sequence
from itertools import count, product
from string import ascii_lowercase
from uuid import uuid4

from bench.hostile.target import CLOSED, Target

STREAMS, ROOMS = 500, 16  # that a user may have open; of a stream
LINES = 1_000
QUIET_SECONDS = 0.3  # without a byte, after which a crowd has read all
STARTED, ENDED = ({"type": "task_status", "status": status} for status in ("STARTED", "SUCCESS"))
LINE = {"type": "log", "message": "m" * 100}


def own_filters(target: Target) -> None:
    """Opens as many streams of a task of its own as a user may have, each with a filter of its own, and reports a
    thousand lines at a time."""
    reported = Reported(target, 1)
    (task,) = reported.send([STARTED])
    names = ["".join(letters) for letters in product(ascii_lowercase, repeat=2)][:STREAMS]
    paths = [f"/api/v2/tasks/{task}/stream?since_sequence=latest&types=log,a{name}" for name in names]
    with _opened(target, paths) as streams:
        for _ in target.rounds():
            reported.send([LINE] * LINES)
            _read(target, streams)


def crowded_ends(target: Target) -> None:
    """Opens as many streams, each of the same sixteen tasks of its own, reports lines of all of them, and ends them at
    once."""
    for _ in target.rounds():
        reported = Reported(target, ROOMS)
        rooms = ",".join(f"task:{task}" for task in reported.send([STARTED]))
        with _opened(target, [f"/api/v2/stream?rooms={rooms}"] * STREAMS) as streams:
            _read(target, streams)
            reported.send([LINE] * (LINES // ROOMS))
            _read(target, streams)
            reported.send([ENDED])
            _read(target, streams)


class Reported:
    """So many tasks that the attacker reports."""

    def __init__(self, target: Target, tasks: int) -> None:
        self._target, self._batches = target, count(1)
        self._writer, self._tasks = f"{uuid4()}", [f"{uuid4()}" for _ in range(tasks)]

    def send(self, events: list[dict[str, str]]) -> list[str]:
        """Reports these events of each task; returns the tasks' ids."""
        tasks = [
            {"task_id": task, "attempt": "1", "job_type": "hostile", "events": events} for task in self._tasks
        ]
        body = json.dumps({"writer": self._writer, "batch": next(self._batches), "tasks": tasks}).encode()
        status, answer = self._target.exchange("POST", "/api/v2/events", body, self._target.bearer)
        if status != 202:
            raise ConnectionRefusedError(f"{status}: {answer[:200]!r}")
        return [task["task_id"] for task in json.loads(answer)["tasks"]]


@contextlib.contextmanager
def _opened(target: Target, paths: Sequence[str]) -> Iterator[selectors.BaseSelector]:
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as streams:
        for path in paths:
            stream = stack.enter_context(contextlib.closing(target.connect()))
            stream.sendall(target.request(path))
            status = stream.recv(1 << 12).split(b" ", 2)
            if len(status) < 2:
                raise ConnectionResetError
            target.answered(int(status[1]))
            streams.register(stream, selectors.EVENT_READ)
        yield streams


def _read(target: Target, streams: selectors.BaseSelector) -> None:
    """Reads from all streams until none has been sent anything for a while."""
    while ready := streams.select(QUIET_SECONDS):
        for key, _ in ready:
            stream = key.fileobj
            assert isinstance(stream, socket.socket)
            try:
                ended = not stream.recv(1 << 18)
            except OSError:
                target.answers[CLOSED] += 1
                ended = True
            if ended:
                streams.unregister(stream)
