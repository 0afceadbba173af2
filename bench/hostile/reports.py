"""Batches of events, from a worker that reports over REST."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bench.hostile.bodies import CONTAINERS, CONTROL, DEEPEST, VALUES, fields, nested, repeated
from bench.hostile.target import Target

BATCH = 2 * 1024 * 1024  # bytes that are read
EVENTS, STORED, PHASES = 1_000, 1_000_000, 500  # of a batch; bytes of it that are stored; of a task
ROOM = BATCH - 400


def worker_batches(target: Target) -> None:
    """Sends the largest and worst batches that are stored, for four tasks at once, and others that are refused."""
    shapes = [*accepted().values(), *refused().values()]
    workers = deque(Worker(target, task) for task in target.order.reports)

    def attack(target: Target) -> None:
        worker = workers.popleft()
        try:
            worker.send(shapes[target.turn() % len(shapes)])
        finally:
            workers.append(worker)

    target.crowd(len(workers), attack)


@dataclass(slots=True)
class Worker:
    """Reports for one task. A refused batch uses up no number."""

    target: Target
    task: str
    number: int = 1
    writer: str = field(default_factory=lambda: str(uuid4()))

    def send(self, events: bytes) -> int:
        if self.number == 1:
            self._post(_listed([{"type": "task_status", "status": "STARTED"}]))
        return self._post(events)

    def _post(self, events: bytes) -> int:
        head = {"writer": self.writer, "batch": self.number, "attempt": 1}
        body = json.dumps(head).encode()[:-1] + b', "events": ' + events + b"}"
        bearer = {"Authorization": f"Bearer {self.target.order.reporter}"}
        status = self.target.ask("POST", f"/api/v2/tasks/{self.task}/events", body, bearer)
        self.number += status == 202
        return status


def accepted() -> dict[str, bytes]:
    """Events of batches that are stored, by their shape."""
    line = {"type": "log", "message": "x"}
    text = STORED // EVENTS - 150
    phase = {"type": "phase_update", "status": "active", "processed_count": 1, "total_count": 2}
    status = {"type": "task_status", "status": "STARTED", "progress": 1, "current_phase_message": "m" * 500}
    lists, half = CONTAINERS - 100, VALUES // 2 - 100
    return {
        "many of one byte": _listed([line] * EVENTS),
        "as much as is stored": _listed([line | {"message": "x" * text}] * EVENTS),
        "all phases": _listed(
            [phase | {"phase_id": f"p{n % PHASES}", "message": "m" * (text - 150)} for n in range(EVENTS)]
        ),
        "states": _listed([status] * EVENTS),
        "one long line": b'[{"type":"log","message":"%b"}]' % (CONTROL * (ROOM // len(CONTROL))),
        "lists": _result(b"[%b]" % repeated(b"[]", ROOM, lists)),
        "objects": _result(b"[%b]" % repeated(b'{"abcdef":{}}', ROOM, lists // 2)),
        "fields": _result(b"{%b}" % fields(ROOM, half)),
        "fields with objects": _result(b"{%b}" % fields(ROOM, lists, b"{}")),
        "items": _result(b"[%b]" % repeated(b'"abcdef"', ROOM, 2 * half)),
        "numbers": _result(b"[%b]" % repeated(b"1.7976931348623157e-300", ROOM)),
        "long numbers": _result(b"[%b]" % repeated(b"9" * 300, ROOM)),
        "line ends": _result(b'"%b"' % (rb"\n" * (ROOM // 2))),
        "brackets in a text": _result(b'"%b"' % (b"[" * ROOM)),
        "deep": _result(b"[%b]" % repeated(nested(DEEPEST - 5), ROOM, lists // (DEEPEST - 5))),
    }


def refused() -> dict[str, bytes]:
    """Events of batches of which nothing is stored, by their shape."""
    line, wrong = {"type": "log", "message": "x"}, {"type": "log", "message": 7}
    strange = line | {f"f{number}": 0 for number in range(40)}
    return {
        "a wrong one in the middle": _listed([line] * 500 + [wrong] + [line] * 499),
        "from the middle on wrong": _listed([line] * 500 + [strange] * 500),
        "no events": b"[%b]" % repeated(b"[]", ROOM, EVENTS),
        "too many": _listed([line] * (EVENTS + 1)),
        "too much": _listed([line | {"message": "x" * (STORED // EVENTS)}] * EVENTS),
        "too many lists": b"[%b]" % repeated(b"[]", ROOM),
        "too many numbers": _result(b"[%b]" % repeated(b"0", ROOM)),
        "too many fields": _result(b"{%b}" % fields(ROOM)),
        "many fields of an event": b'[{"type":"log",%b}]' % fields(ROOM, VALUES // 2 - 100),
        "too deep": _result(nested(DEEPEST)),
        "brackets": b"[" * ROOM,
        "no end": b'["' + b"x" * ROOM,
        "larger than is read": b'["%b"]' % (b"x" * BATCH),
    }


def _result(value: bytes) -> bytes:
    """Returns an event with a value of any shape."""
    return b'[{"type":"task_status","status":"STARTED","result":%b}]' % value


def _listed(events: list[dict[str, Any]]) -> bytes:
    return json.dumps(events, separators=(",", ":")).encode()
