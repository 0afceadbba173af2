"""What a worker process has of its own: a writer, a publisher and connections, made when they are first needed."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from functools import cached_property

from app import process_transactions
from app.db.persistent import PersistentConnection, PersistentConnections
from app.errors.survived import survived
from app.projections import project
from app.storage import Storage
from app.storage.made import storage_of
from app.stream.publisher import Publisher
from app.stream.transaction import Begin, Transaction, Transactions
from app.stream.writer import TICK_SECONDS, Writer
from app.tasks.dispatch import Dispatcher, hints_of
from workers.leases import Leases
from workers.metrics import ProcessMetrics
from workers.registry import queue_of
from workers.settings import settings

logger = logging.getLogger("taskroom.runtime")

CLOSE_SECONDS = 10.0  # how long a process that exits waits until its events are durable


class Runtime:
    def __init__(self) -> None:
        url = settings().database_url
        self.publisher = Publisher(settings().redis_url)
        self.connect = PersistentConnections(url)
        self.transaction: Begin = Transactions(
            self.connect,
            project,
            self.publisher.publish,
            on_committed=lambda tx: self.dispatcher.send_hints(hints_of(tx)),
        )
        self.leases = Leases()
        self.writer = Writer(
            PersistentConnection(url),
            project,
            self.publisher.publish,
            stored=self.leases.on_committed,
            tick=self._tick,
            # Five renewals a round. Where rounds are long still one a second: it also finds out about a cancel.
            tick_seconds=min(TICK_SECONDS, settings().lease_round_seconds / 5),
        )
        self.metrics = ProcessMetrics(self.writer, self.publisher)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        from workers.celery_app import broker  # which reads the environment when it is imported

        return Dispatcher(broker.send, queue_of, broker.length)

    @cached_property
    def storage(self) -> Storage | None:
        """Where the outputs of jobs are kept; None when no folder is set."""
        return storage_of(settings())

    def _tick(self, tx: Transaction) -> None:
        self.leases.renew(tx)
        try:
            self.metrics.write()
        except Exception as error:  # it would undo the renewal of the leases, and the tasks would be lost
            survived(logger, error, "the metrics of this process could not be written")

    def close(self, timeout: float | None = None) -> bool:
        """Flushes and ends the writer; False when its events were not durable in time."""
        return self.writer.close(timeout)


_runtime: Runtime | None = None
_lock = threading.Lock()


def runtime() -> Runtime:
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime()
            atexit.register(_runtime.close, CLOSE_SECONDS)
        return _runtime


def close(timeout: float | None = None) -> None:
    """Closes the runtime of this process, if it has one."""
    global _runtime
    ended, _runtime = _runtime, None
    if ended:
        ended.close(timeout)


def _forget() -> None:
    """Lets a forked child make a runtime of its own: it has a copy of the parent's buffer, but not the thread that
    stores it, nor the thread that may have held the lock."""
    global _runtime, _lock
    _runtime, _lock = None, threading.Lock()


process_transactions.use_transactions(lambda: runtime().transaction())
os.register_at_fork(after_in_child=_forget)
