"""What the children of a worker know of themselves, for Prometheus, at WORKER_METRICS_PORT of the worker.

Each child counts in files that the worker adds up when it is asked (prometheus_client's multiprocess mode). Nothing on
a task's path waits for them: once a second the writer's thread puts down what the plain counts have become.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from celery.signals import celeryd_init, worker_process_init

from app.stream.publisher import Publisher
from app.stream.writer import Writer
from app.tasks.fold import STATUSES
from workers.settings import settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library reads it when it is imported, which so must come later

_server: Any = None


class Figures:
    """Of one process, its writer and its publisher. A forked child has its own, which begin at 0."""

    def __init__(self, writer: Writer, publisher: Publisher) -> None:
        self._writer, self._publisher = writer, publisher
        self._attempts = dict.fromkeys(STATUSES, 0)
        self._seconds = 0.0
        self._told: dict[tuple[str, str], float] = {}

    def ended(self, status: str, seconds: float) -> None:
        """An attempt ended, with the status that the task has now."""
        self._attempts[status] += 1
        self._seconds += seconds

    def tell(self) -> None:
        """Puts down what has changed; from one thread at a time."""
        if FOLDER not in os.environ:
            return
        _buffered().set(self._writer.buffered)
        for name, text, value in self._plain():
            self._raise(_counter(name, text), (name, ""), value)
        for name, text, label, counts in (
            ("attempts", "Attempts that ended, by the task's status then", "status", self._attempts),
            ("events_stored", "Events committed", "event_type", self._publisher.stored.of),
        ):
            for of, value in counts.items():
                self._raise(_counter(name, text, label).labels(of), (name, of), value)

    def _plain(self) -> Iterator[tuple[str, str, float]]:
        writer, publisher = self._writer, self._publisher
        yield "writer_batches", "Batches stored", writer.batches
        yield "writer_seconds", "Time until batches were durable", writer.seconds
        yield "writer_failures", "Tries that failed: Postgres was away or busy", writer.failures
        yield "writer_refused", "Events that could not be stored, and were marked as missing", writer.refused
        yield "publishes", "Messages sent to Redis after a commit", publisher.messages
        yield "publishes_lost", "Of those, not taken or not even tried", publisher.lost
        yield "attempt_seconds", "Time that attempts took", self._seconds

    def _raise(self, counter: Any, key: tuple[str, str], value: float) -> None:
        counter.inc(value - self._told.get(key, 0.0))
        self._told[key] = value


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
    """In the worker, before it has children. SystemExit with one line when the port is taken."""
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
                except ProcessLookupError:  # what a child had buffered went with it
                    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
            return super().collect()  # type: ignore[no-untyped-call]

    registry = CollectorRegistry()
    Collector(registry, folder)  # type: ignore[no-untyped-call]
    try:
        _server = start_http_server(port, settings().host, registry)[0]
    except OSError as error:
        raise SystemExit(f"WORKER_METRICS_PORT {port} cannot be opened: {error.strerror}") from None


@worker_process_init.connect
def _leave_port(**_: Any) -> None:
    """A child must not hold the port when its worker is gone, nor take the files away when it ends itself."""
    if _server is not None:
        _server.socket.close()


def _remove(pid: int, folder: str) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
