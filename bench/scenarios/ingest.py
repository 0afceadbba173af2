"""Taskroom alone: programs that report the tasks that they run, many in one batch."""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
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
WORKERS, BEATS, BEAT_SECONDS = 1_000, 4, 5
LINE = "2026-11-29 12:00:00 INFO shop.mail: message 12345 was accepted by the server after 0.132 s"
STARTED = {"type": "task_status", "status": "STARTED"}
DONE = {"type": "task_status", "status": "SUCCESS", "result": {"sent": 3}}
Parts = list[dict[str, Any]]
# The first batches of a writer, which are not measured, and the others.
Bodies = tuple[Sequence[bytes], Sequence[bytes]]


@dataclass(slots=True)
class Load:
    """``cpu`` of the web process, and ``seconds`` by the clock, for all batches."""

    cpu: float
    seconds: float


def ingest(contest: Contest) -> list[Figure]:
    """Four writers report lines of 50 running tasks each, 500 in a batch; then whole small tasks, 50 in a batch: made,
    three lines, ended; then workers, each of which has a writer of its own. Bodies are gzip."""
    with contest.ours() as server:
        _run(server, lambda: _batches(_whole(), 2))  # one-time work
        lines = _run(server, lambda: _batches(_lines(), BATCHES))
        small = _run(server, lambda: _batches(_whole(), WHOLE))
        beats = _run(server, _beats)
    of_core = 100 * beats.cpu / (BEATS * BEAT_SECONDS)
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
        Figure(
            name,
            f"{WORKERS:,} workers, each reported every {BEAT_SECONDS} s: web process",
            "%",
            {OURS: of_core},
        ),
    ]


def _run(server: Ours, of_writer: Callable[[], Bodies]) -> Load:
    """Sends the bodies of each writer, all writers at once."""
    ready, go = threading.Barrier(WRITERS + 1), threading.Barrier(WRITERS + 1)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            first, others = of_writer()
            connection = HTTPConnection(*server.address)
            for body in first:
                _post(connection, server, body)
            ready.wait()
            go.wait()
            for body in others:
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


def _batches(source: Iterator[Parts], number: int) -> Bodies:
    """Returns so many batches of a writer, and one before them, which may start its tasks."""
    writer = str(uuid.uuid4())
    bodies = [_body(writer, n, tasks=next(source)) for n in range(1, number + 2)]
    return bodies[:1], bodies[1:]


def _beats() -> Bodies:
    """Returns what a writer's share of the workers reports of them, each under a name of its own."""
    names = [str(uuid.uuid4()) for _ in range(WORKERS // WRITERS)]
    worker = {"host": "shop-7", "pid": 4711, "pool": "prefork", "slots": 8, "queues": ["celery", "mail"]}
    worker |= {"memory_bytes": 250_000_000, "versions": {"python": "3.11.2", "celery": "5.5.3"}}
    bodies = [
        _body(name, n, workers=[{"name": f"celery@{name}", "beat_seconds": BEAT_SECONDS, **worker}])
        for n in range(1, BEATS + 2)
        for name in names
    ]
    return bodies[: len(names)], bodies[len(names) :]


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


def _body(writer: str, number: int, **content: Parts) -> bytes:
    return gzip.compress(json.dumps({"writer": writer, "batch": number, **content}).encode(), 1)


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
