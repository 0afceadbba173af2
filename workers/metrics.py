"""Metrics of a worker's processes for Prometheus, at WORKER_METRICS_PORT of the worker.

Each process counts in files, and the worker adds them up when it is asked (prometheus_client's multiprocess mode). No
task waits for that: once a second the writer's thread writes the counts into the files.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from celery.signals import celeryd_init, worker_process_init

from app.errors.survived import bugs
from app.stream.publisher import Publisher
from app.stream.writer import Writer
from app.tasks.fold import STATUSES
from workers.settings import settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library reads it when it is imported, so it is imported later

_server: tuple[int, Any] | None = None  # the process that serves, and its server


class ProcessMetrics:
    """Counts of one process, its writer and its publisher. A forked child has its own, which begin at 0."""

    def __init__(self, writer: Writer, publisher: Publisher) -> None:
        self._writer, self._publisher = writer, publisher
        self._attempts = dict.fromkeys(STATUSES, 0)
        self._seconds = 0.0
        self._counting = threading.Lock()  # attempts end in several threads
        self._written: dict[tuple[str, str], float] = {}

    def attempt_ended(self, status: str, seconds: float) -> None:
        """Counts an attempt, with the status that the task has now and the time that it took."""
        with self._counting:
            self._attempts[status] += 1
            self._seconds += seconds

    def write(self) -> None:
        """Writes what has changed into this process's files; called by one thread at a time."""
        if FOLDER not in os.environ:
            return
        _buffered().set(self._writer.buffered)
        for name, text, value in self._counts():
            self._increase(_counter(name, text), (name, ""), value)
        for name, text, label, counts in (
            ("attempts", "Attempts that ended, by the task's status then", "status", self._attempts),
            ("events_stored", "Events committed", "event_type", self._publisher.stored.of),
            ("bugs", "Errors that nothing expects, by the part that met them", "part", dict(bugs)),
        ):
            for labelled, value in counts.items():
                self._increase(_counter(name, text, label).labels(labelled), (name, labelled), value)

    def _counts(self) -> Iterator[tuple[str, str, float]]:
        writer, publisher = self._writer, self._publisher
        yield "writer_batches", "Batches stored", writer.batches
        yield "writer_seconds", "Time until batches were durable", writer.seconds
        yield "writer_failures", "Tries that failed: Postgres was away or busy, or by a bug", writer.failures
        yield "writer_refused", "Events that could not be stored, and were marked as missing", writer.refused
        yield "publishes", "Messages sent to Redis after a commit", publisher.messages
        yield "publishes_lost", "Of those, not taken or not even tried", publisher.lost
        yield "attempt_seconds", "Time that attempts took", self._seconds

    def _increase(self, counter: Any, key: tuple[str, str], value: float) -> None:
        counter.inc(value - self._written.get(key, 0.0))
        self._written[key] = value


@cache
def _counter(name: str, text: str, *labels: str) -> Any:
    from prometheus_client import Counter

    return Counter(f"taskroom_{name}", text, labels, registry=None)


@cache
def _buffered() -> Any:
    from prometheus_client import Gauge

    text = "Events that wait to be stored"
    return Gauge("taskroom_writer_buffered", text, registry=None, multiprocess_mode="livesum")


@celeryd_init.connect
def _serve(**_: Any) -> None:
    """Serves the metrics from the worker's main process. Raises SystemExit with one line when the port is taken."""
    global _server
    port = settings().worker_metrics_port
    if not port:
        return
    os.environ[FOLDER] = folder = tempfile.mkdtemp(prefix="taskroom-metrics-")
    atexit.register(_remove, os.getpid(), folder)
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

    class Collector(MultiProcessCollector):
        def collect(self) -> Any:
            for path in Path(folder).glob("gauge_live*_*.db"):
                pid = int(path.stem.rpartition("_")[2])
                try:
                    os.kill(pid, 0)
                except ProcessLookupError:  # its buffer is gone with it, and must not count any more
                    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
            return super().collect()  # type: ignore[no-untyped-call]

    registry = CollectorRegistry()
    Collector(registry, folder)  # type: ignore[no-untyped-call]
    try:
        _server = os.getpid(), start_http_server(port, settings().host, registry)[0]
    except OSError as error:
        raise SystemExit(f"WORKER_METRICS_PORT {port} cannot be opened: {error.strerror}") from None


@worker_process_init.connect
def _close_port(**_: Any) -> None:
    """Closes the port in a child of the worker: it must not hold the port when the worker is gone."""
    if _server is not None and _server[0] != os.getpid():  # the pool solo has no children
        _server[1].socket.close()


def _remove(pid: int, folder: str) -> None:
    """Removes the files when the worker exits; not when a child does, which has a copy of its exit handlers."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
