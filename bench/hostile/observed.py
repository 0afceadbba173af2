"""Batches of tasks that others run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import uuid4

from bench.hostile.bodies import CONTAINERS, CONTROL, DEEPEST, VALUES, fields, nested, repeated
from bench.hostile.target import Target

BATCH, UNZIPPED = 2 * 1024 * 1024, 2_000_000  # bytes that are read; of JSON
TASKS, EVENTS, PHASES, RUNNING = 50, 2_000, 500, 100  # of a batch; of a task; of a worker
ROOM = UNZIPPED - 500
AT_ONCE = 4
STARTED = {"type": "task_status", "status": "STARTED"}
Shape = Callable[[], bytes]


def reported_tasks(target: Target) -> None:
    """Sends the largest and worst batches of tasks that are stored, as gzip too, and others that are refused."""
    shapes = [*accepted().values(), *refused().values()]

    def attack(target: Target) -> None:
        reporter, turn = Reporter(target), target.turn()
        reporter.send(shapes[turn % len(shapes)](), zipped=turn // len(shapes) % 2 == 1)

    target.crowd(AT_ONCE, attack)


@dataclass(slots=True)
class Reporter:
    """A process that numbers its batches. A refused batch uses up no number."""

    target: Target
    number: int = 1
    writer: str = field(default_factory=lambda: str(uuid4()))

    def send(self, content: bytes, zipped: bool = False) -> int:
        """``content`` is JSON from the tasks on, without the brackets around the whole."""
        head = json.dumps({"writer": self.writer, "batch": self.number}).encode()[:-1]
        body, headers = head + b"," + content + b"}", self.target.bearer
        if zipped:
            body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
        status = self.target.ask("POST", "/api/v2/events", body, headers)
        self.number += status == 202
        return status


def accepted() -> dict[str, Shape]:
    """What makes batches that are stored, by their shape: each time of new tasks."""
    line = {"type": "log", "message": "x"}
    share = ROOM // EVENTS - 120  # bytes of a text
    phase = {"type": "phase_update", "status": "active", "processed_count": 1, "total_count": 2}
    phases = [phase | {"phase_id": f"p{n % PHASES}", "message": "m" * (share - 80)} for n in range(EVENTS)]
    status = STARTED | {"progress": 1, "current_phase_message": "m" * 500}
    lists, half = CONTAINERS - 100, VALUES // 2 - 100
    return {
        "many of one byte": lambda: _each([line] * (EVENTS // TASKS)),
        "as much as is read": lambda: _each([line | {"message": "x" * share}] * (EVENTS // TASKS)),
        "all in one task": lambda: _tasks([line | {"message": "x" * share}] * EVENTS),
        "all phases": lambda: _tasks(phases),
        "states": lambda: _tasks([status] * EVENTS),
        "ends": lambda: _each([STARTED, line, STARTED | {"status": "SUCCESS"}]),
        "a chain": lambda: _listed(_chain()),
        "groups": lambda: _listed([_task([STARTED], group_id=f"{uuid4()}") for _ in range(TASKS)]),
        "workers": lambda: b'"workers":' + json.dumps(_workers()).encode(),
        "one long line": lambda: _raw(b'{"type":"log","message":"%b"}' % (CONTROL * (ROOM // len(CONTROL)))),
        "lists": lambda: _result(b"[%b]" % repeated(b"[]", ROOM, lists)),
        "objects": lambda: _result(b"[%b]" % repeated(b'{"abcdef":{}}', ROOM, lists // 2)),
        "fields": lambda: _result(b"{%b}" % fields(ROOM, half)),
        "items": lambda: _result(b"[%b]" % repeated(b'"abcdef"', ROOM, 2 * half)),
        "long numbers": lambda: _result(b"[%b]" % repeated(b"9" * 300, ROOM)),
        "line ends": lambda: _result(b'"%b"' % (rb"\n" * (ROOM // 2))),
        "brackets in a text": lambda: _result(b'"%b"' % (b"[" * ROOM)),
        "deep": lambda: _result(b"[%b]" % repeated(nested(DEEPEST - 6), ROOM, lists // (DEEPEST - 6))),
        "parameters": lambda: _raw(b"", b'"params":{%b},' % fields(ROOM, half)),
    }


def refused() -> dict[str, Shape]:
    """What makes batches of which little or nothing is stored."""
    line, wrong = {"type": "log", "message": "x"}, {"type": "log", "message": 7}
    return {
        "a wrong one in each task": lambda: _each([line] * (EVENTS // TASKS - 1) + [wrong]),
        "too many events": lambda: _tasks([line] * (EVENTS + 1)),
        "too many tasks": lambda: b'"tasks":[%b]' % repeated(b"{}", ROOM, CONTAINERS - 10),
        "no tasks": lambda: b'"tasks":[%b]' % repeated(b"[]", ROOM, TASKS),
        "too many lists": lambda: _raw(repeated(b"[]", ROOM)),
        "too many numbers": lambda: _result(b"[%b]" % repeated(b"0", ROOM)),
        "too many fields": lambda: _result(b"{%b}" % fields(ROOM)),
        "many fields of an event": lambda: _raw(b'{"type":"log",%b}' % fields(ROOM, VALUES // 2 - 100)),
        "too deep": lambda: _result(nested(DEEPEST)),
        "brackets": lambda: b"[" * ROOM,
        "no end": lambda: b'"tasks":["' + b"x" * ROOM,
        "more than is inflated": lambda: b'"tasks":["%b"]' % (b"x" * (BATCH - 200)),
    }


def _task(events: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"task_id": str(uuid4()), "attempt": "1", "job_type": "hostile", "events": events, **more}


def _chain() -> list[dict[str, Any]]:
    """Returns tasks of which each is above the one before it."""
    tasks = [_task([STARTED]) for _ in range(TASKS)]
    for below, above in pairwise(tasks):
        below["parent_id"] = above["task_id"]
    return tasks


def _workers() -> list[dict[str, Any]]:
    running = [str(uuid4()) for _ in range(RUNNING)]
    return [{"name": f"hostile {n}", "queues": ["q" * 255] * 2, "running": running} for n in range(200)]


def _each(events: list[dict[str, Any]]) -> bytes:
    return _listed([_task(events) for _ in range(TASKS)])


def _tasks(events: list[dict[str, Any]]) -> bytes:
    return _listed([_task(events)])


def _listed(tasks: list[dict[str, Any]]) -> bytes:
    return b'"tasks":' + json.dumps(tasks, separators=(",", ":")).encode()


def _raw(events: bytes, more: bytes = b"") -> bytes:
    head = b'{"task_id":"%b","attempt":"1","job_type":"hostile",' % str(uuid4()).encode()
    return b'"tasks":[%b%b"events":[%b]}]' % (head, more, events)


def _result(value: bytes) -> bytes:
    """Returns a task that ends with a result of any shape."""
    return _raw(b'{"type":"task_status","status":"SUCCESS","result":%b}' % value)
