"""Taskroom alone: programs that report the tasks that they run, many in one batch."""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from bench import proc
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.stand import Ours

WRITERS = 4
TASKS = 50  # of a batch
EVENTS = 500  # of a batch, over its tasks
BATCHES = 100  # of a writer
WHOLE = 40  # batches of whole tasks of a writer
LINE = "2026-11-29 12:00:00 INFO shop.mail: message 12345 was accepted by the server after 0.132 s"
STARTED = {"type": "task_status", "status": "STARTED"}
DONE = {"type": "task_status", "status": "SUCCESS", "result": {"sent": 3}}
Parts = list[dict[str, Any]]


@dataclass(slots=True)
class Load:
    """``cpu`` of the web process, and ``seconds`` by the clock, for all batches."""

    cpu: float
    seconds: float


def ingest(contest: Contest) -> list[Figure]:
    """Four writers report lines of 50 running tasks each, 500 in a batch; then whole small tasks, 50 in a batch: made,
    three lines, ended. Bodies are gzip."""
    with contest.ours() as server:
        _run(server, _whole, 2)  # one-time work
        lines = _run(server, _lines, BATCHES)
        small = _run(server, _whole, WHOLE)
    events, tasks = WRITERS * BATCHES * EVENTS, WRITERS * WHOLE * TASKS
    name, of_lines = "ingest", f"lines of {TASKS} tasks, {EVENTS} in a batch"
    return [
        Figure(
            name, f"{of_lines}: stored a second", "", {OURS: events / lines.seconds}, 20_000, at_least=True
        ),
        Figure(name, f"{of_lines}: web process, each", "µs", {OURS: 1e6 * lines.cpu / events}, 40),
        Figure(
            name, "whole small tasks, 50 in a batch: a second", "", {OURS: tasks / small.seconds}, 300, True
        ),
        Figure(
            name, "whole small tasks, 50 in a batch: web process, each", "ms", {OURS: 1e3 * small.cpu / tasks}
        ),
    ]


def _run(server: Ours, parts: Callable[[], Iterator[Parts]], batches: int) -> Load:
    """Sends so many batches of each writer, all writers at once; the first batch of each, which may start its tasks,
    is not measured."""
    ready, go = threading.Barrier(WRITERS + 1), threading.Barrier(WRITERS + 1)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            source, writer = parts(), str(uuid.uuid4())
            bodies = [_body(writer, n, next(source)) for n in range(1, batches + 2)]
            connection = HTTPConnection(*server.address)
            _post(connection, server, bodies[0])
            ready.wait()
            go.wait()
            for body in bodies[1:]:
                _post(connection, server, body)
            connection.close()
        except BaseException as error:
            failed.append(error)
            ready.abort()
            go.abort()

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    cpu, began = proc.cpu_seconds(server.pid), time.monotonic()
    go.wait()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return Load(proc.cpu_seconds(server.pid) - cpu, time.monotonic() - began)


def _lines() -> Iterator[Parts]:
    """Yields first what starts the tasks, then their lines."""
    ids = [str(uuid.uuid4()) for _ in range(TASKS)]
    yield [_part(task_id, [STARTED], job_type="shop.mail") for task_id in ids]
    line = {"type": "log", "level": "INFO", "message": LINE, "component": "shop.mail"}
    while True:
        at = time.strftime("%Y-%m-%dT%H:%M:%S.123456Z", time.gmtime())
        yield [_part(task_id, [line | {"timestamp": at}] * (EVENTS // TASKS)) for task_id in ids]


def _whole() -> Iterator[Parts]:
    line = {"type": "log", "message": LINE}
    while True:
        yield [
            _part(str(uuid.uuid4()), [STARTED, *[line] * 3, DONE], job_type="shop.mail") for _ in range(TASKS)
        ]


def _part(task_id: str, events: Parts, **more: Any) -> dict[str, Any]:
    return {"task_id": task_id, "attempt": "1", "events": events, **more}


def _body(writer: str, number: int, parts: Parts) -> bytes:
    return gzip.compress(json.dumps({"writer": writer, "batch": number, "tasks": parts}).encode(), 1)


def _post(connection: HTTPConnection, server: Ours, body: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {server.stand.user.token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    connection.request("POST", "/api/v2/events", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 202 or answer["refused"]:
        raise RuntimeError(f"{response.status}: {str(answer)[:500]}")
