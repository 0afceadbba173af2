"""What a worker says of itself every few seconds: its pool, queues, running tasks and memory."""

from __future__ import annotations

import contextvars
import logging
import os
import platform
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import celery
import kombu
from celery.worker import state

from taskroom.celery.tree import reported_id
from taskroom.server import Client

logger = logging.getLogger("taskroom")

BEAT_SECONDS = 5.0
MOST_RUNNING = 500
POOLS = {
    "prefork": "prefork",
    "solo": "solo",
    "thread": "threads",
    "gevent": "gevent",
    "eventlet": "eventlet",
}


class Repeated:
    """Calls ``work`` at once and then every ``seconds``, in a daemon thread of this process. An exception is logged,
    the first of each type, and the next call comes all the same."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._seconds, self._work = seconds, work
        self._stopped = threading.Event()
        self._logged: set[type[BaseException]] = set()
        run = contextvars.Context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets the thread end, without waiting for it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._work()
            except Exception as error:
                if type(error) not in self._logged:
                    self._logged.add(type(error))
                    logger.warning("%s: %s: %s", self._thread.name, type(error).__name__, error)
            self._stopped.wait(self._seconds)


class Heartbeat:
    """The entry of one worker. ``consumer`` is Celery's, ``held`` the requests that it has received."""

    def __init__(self, client: Client, consumer: Any, held: Iterable[Any] = ()) -> None:
        self._client, self._consumer, self._held = client, consumer, held
        self._pid = os.getpid()
        self._same = {
            "name": str(consumer.hostname),
            "host": platform.node(),
            "pid": self._pid,
            "pool": pool_name(consumer.pool),
            "versions": _versions(),
            "beat_seconds": BEAT_SECONDS,
        }

    def beat(self) -> None:
        """Reports the worker as it is now."""
        pool = self._consumer.pool
        said: dict[str, Any] = {
            **self._same,
            "slots": slots_of(pool),
            "queues": queue_names(self._consumer.app),
            "running": running_ids(),
            "waiting": waiting_ids(self._held),
        }
        memory = memory_of(self._pid)
        if memory is not None:
            said["memory_bytes"] = memory
        self._client.worker({name: value for name, value in said.items() if value is not None})


def pool_name(pool: Any) -> str | None:
    """The name of a pool of Celery's, as ``--pool`` has it; that of its class for another one."""
    module = type(pool).__module__
    if not module.startswith("celery.concurrency."):
        return type(pool).__name__
    return POOLS.get(module.rpartition(".")[2])


def slots_of(pool: Any) -> int | None:
    """How many tasks the pool runs at once. One of greenlets says in Celery 5.3 how many it runs now."""
    found: int | None = pool.num_processes if pool_name(pool) == "prefork" else pool.limit
    return found or pool.num_processes


def queue_names(app: Any) -> list[str]:
    """The queues from which this worker takes tasks."""
    return sorted(app.amqp.queues.consume_from)


def running_ids() -> list[str]:
    """The ids under which the tasks are reported that run in this worker."""
    for _ in range(5):
        try:
            return [reported_id(request.id) for request in state.active_requests][:MOST_RUNNING]
        except RuntimeError:  # the main thread changed the set meanwhile
            continue
    return []


def waiting_ids(held: Iterable[Any]) -> list[str]:
    """The ids under which the tasks are reported that this worker holds and has not begun: a user may cancel them."""
    for _ in range(5):
        try:
            return [reported_id(request.id) for request in held if request.time_start is None][:MOST_RUNNING]
        except RuntimeError:  # the main thread changed the set meanwhile
            continue
    return []


def memory_of(pid: int) -> int | None:
    """The bytes in memory of a process and its children; None where the system does not tell."""
    try:
        pids = [pid, *_children(pid)]
        pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in pids)
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "celery": celery.__version__, "kombu": kombu.__version__}
