"""What a worker process holds: one writer, one publisher and one connection, each made when first needed."""

from __future__ import annotations

import atexit
import logging
import multiprocessing.util
import os
from functools import cached_property
from typing import NoReturn

from app import process
from app.db.pool import Single
from app.projections import project
from app.stream.publisher import Publisher
from app.stream.store import Connect
from app.stream.transaction import Begin, Transaction, Transactions
from app.stream.writer import TICK_SECONDS, Writer
from app.tasks.dispatch import Dispatcher, hints_of
from workers import output, run
from workers.metrics import Figures
from workers.queues import queue_of
from workers.settings import settings

logger = logging.getLogger("taskroom.runtime")

LEAVE_SECONDS = 10.0  # how long a process that leaves waits for what it said to be durable
_exit = os._exit


class Runtime:
    def __init__(self) -> None:
        url = settings().database_url
        self.publisher = Publisher(settings().redis_url)
        self.connect = Single(url)  # for the task's own thread: claims
        self.claiming = self._transactions(self.connect)
        self.transaction: Begin = self._transactions(process.share_between_threads(Single(url)))
        self.writer = Writer(
            Single(url),
            project,
            self.publisher.publish,
            stored=run.heard,
            tick=self._tick,
            # Renewed five times a round, and where rounds are long once a second all the same: a cancel comes with it.
            tick_seconds=min(TICK_SECONDS, settings().lease_round_seconds / 5),
        )
        self.figures = Figures(self.writer, self.publisher)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        from workers.celery_app import broker  # which reads the environment when it is imported

        return Dispatcher(broker.send, queue_of, broker.length)

    def _transactions(self, connect: Connect) -> Transactions:
        return Transactions(
            connect, project, self.publisher.publish, lambda tx: self.dispatcher.send_hints(hints_of(tx))
        )

    def _tick(self, tx: Transaction) -> None:
        run.renew(tx)
        try:
            self.figures.tell()
        except Exception:  # they are worth no lease: with its renewal undone the task would be lost
            logger.exception("metrics could not be told")

    def close(self, timeout: float | None = None) -> bool:
        """Flushes and ends the writer; False when events were still not durable in time."""
        return self.writer.close(timeout)


_runtime: Runtime | None = None


def runtime() -> Runtime:
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
        atexit.register(_runtime.close, LEAVE_SECONDS)
    return _runtime


def close(timeout: float | None = None) -> None:
    global _runtime
    ended, _runtime = _runtime, None
    if ended:
        ended.close(timeout)


def _after_fork() -> None:
    """A child has the parent's buffer but not its thread: what it logs would never be stored.

    It gets a runtime of its own, and leaves through multiprocessing, which skips atexit, or through ``os._exit``.
    """
    global _runtime
    if _runtime is not None:
        _runtime = None
        run.use(lambda: runtime().writer)
        multiprocessing.util.Finalize(None, _leave, exitpriority=10)
        if run.find() is not None:
            os._exit = _flushed_exit


def _flushed_exit(status: int) -> NoReturn:
    """``os._exit`` in a child that a task's code forked: its usual way out, and what it said must be kept."""
    try:
        _leave()
    finally:
        _exit(status)


def _leave() -> None:
    """What a forked child still has to say is durable afterwards, or ten seconds have passed."""
    if (own := run.find()) is not None:
        output.finish(own)
    close(LEAVE_SECONDS)


process.use_transactions(lambda: runtime().transaction())
os.register_at_fork(after_in_child=_after_fork)
