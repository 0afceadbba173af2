"""An attempt is over for its worker when what it said is durable, and not before."""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest

from app.stream.writer import Writer, WriterClosed
from app.tasks.dispatch import Dispatcher
from app.tasks.lifecycle import Claim
from tests.stream.fakes import FakeCommits
from tests.support.system import wait_for
from tests.workers.kept import Kept
from workers.leases import Leases
from workers.run import Run
from workers.settings import settings

TASK = "00000000-0000-4000-8000-000000000001"


class Watched(Writer):
    """Tells when somebody waits for what was put."""

    def __init__(self, store: FakeCommits) -> None:
        super().__init__(store.connect, lambda cur, events: (), store.publish)
        self.flushing = threading.Event()

    def flush(self, timeout: float | None = None) -> bool:
        self.flushing.set()
        return super().flush(timeout)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeCommits:
    return FakeCommits(monkeypatch)


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """What a worker runs; its configuration is read when it is imported, and no other test is to find this one."""
    before = set(sys.modules)
    for name, value in (
        ("SECRET_KEY", "x" * 40),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
    ):
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield importlib.import_module("workers.execute")
    settings.cache_clear()
    for name in {"workers.execute", "workers.celery_app"} - before:
        del sys.modules[name]


def test_a_worker_takes_nothing_new_before_the_end_is_durable(
    store: FakeCommits, execute: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, left = Watched(store), list[list[str]]()

    class Noting(Leases):
        @contextmanager
        def renewed(self, run: Run) -> Iterator[None]:
            """Notes what was durable when the attempt was over."""
            with super().renewed(run):
                yield
            left.append([event.type for batch in store.batches for event in batch])

    metrics = SimpleNamespace(attempt_ended=lambda status, seconds: None)
    dispatcher = Dispatcher(lambda *_: None, lambda job_type: None)
    here = SimpleNamespace(writer=writer, metrics=metrics, leases=Noting(), dispatcher=dispatcher)
    monkeypatch.setattr(execute.runtime, "runtime", lambda: here)
    store.gate.clear()  # no commit ends
    claim = Claim(TASK, 1, "no such job", {}, 0, "2026-01-01T00:00:00.000000Z")
    running = threading.Thread(target=execute._run, args=(claim,), daemon=True)

    running.start()
    wait_for("its end, or that it waits for it", lambda: left or writer.flushing.is_set())
    store.gate.set()
    running.join(60)
    assert writer.close(60)

    assert not running.is_alive() and writer.close(60)
    ((*_, last),) = left
    assert last == "task_status", "the last thing that it said was durable when it was over"


def test_an_attempt_whose_end_cannot_be_reported_is_ended_by_its_own_process(
    execute: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process knows it only by its lease, and a thread of the same process perhaps not at all."""
    ended = list[tuple[str, str]]()
    claim = Claim(TASK, 1, "no such job", {}, 0, "2026-01-01T00:00:00.000000Z")

    def fails(claim: Claim) -> None:
        raise WriterClosed("as asked")

    monkeypatch.setattr(execute, "_claim", lambda *_: claim)
    monkeypatch.setattr(execute, "_run", fails)
    monkeypatch.setattr(execute.lost, "end", lambda worker, error: ended.append((worker, error["message"])))

    with pytest.raises(WriterClosed):
        execute.run_task.run(TASK, 1)

    message = "The worker could not report how this task ended: as asked"
    assert ended == [(f"{socket.gethostname()}/{os.getpid()}", message)]


def test_its_end_is_by_the_clock_that_it_began_by(execute: ModuleType) -> None:
    """Postgres's, and what the attempt took is measured here: the date of this machine may be wrong."""
    kept = Kept()
    times = {"claimed_at": "2026-01-01T00:10:00.000000Z", "began": time.monotonic() - 90}
    claim = Claim(TASK, 1, "no such job", {}, 0, "2026-01-01T00:00:00.000000Z", **times)  # type: ignore[arg-type]

    execute._end(Run(claim, kept), {"status": "SUCCESS", "result": None}, 90_000.0)  # type: ignore[arg-type]

    (ended,) = kept.of_type("task_status")
    assert "2026-01-01T00:11:30" <= ended["finished_at"] < "2026-01-01T00:20"
