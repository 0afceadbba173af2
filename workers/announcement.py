"""The worker's slots, one more than its concurrency, and its rows in Postgres: the slots while it lives, and its job
types."""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections.abc import Callable
from typing import Any

import celery
from celery.signals import celeryd_after_setup, worker_init, worker_ready, worker_shutting_down
from psycopg2.extensions import cursor as Cursor

from app.db.persistent import PersistentConnection
from app.errors.survived import survived
from app.periodic import Periodic
from app.tasks.holds import keep_drained
from app.tasks.observed.fleet import WorkerEntry
from app.tasks.observed.own import forget_own_worker, report_own_worker
from app.tasks.slots import Cap, register_worker, unregister_worker
from workers import pools
from workers.declarations import DeclarationWriter
from workers.draining import Consumption
from workers.memory import memory_bytes
from workers.settings import settings

logger = logging.getLogger("taskroom.slots")


def cap() -> Cap:
    """How many tasks one user may have running."""
    return Cap.of(settings().running_per_user, settings().lease_round_seconds)


class WorkerAnnouncement:
    """The rows of this worker. The worker's main process writes them, and works without them when Postgres is away."""

    def __init__(self, name: str, queues: list[str], slots: int, spare: int, pool: str | None) -> None:
        self._name, self._queues, self._slots, self._spare = name, queues, slots, spare
        self._pool, self._drained = pool, False
        self._consumption: Consumption | None = None
        self._declarations = DeclarationWriter()
        self._connect = PersistentConnection(settings().database_url)
        self.thread = Periodic("slots", settings().lease_round_seconds, self.write, at_end=self._unregister)

    def start(self, consumer: Any) -> None:
        """Begins to repeat ``write``; from now on ``consumer`` takes messages only while the worker is not drained."""
        self._consumption = Consumption(consumer, self._queues)
        self.thread.start()
        self.thread.wake()

    def write(self) -> None:
        if self._transaction(self._register) and self._consumption:
            self._consumption.follow(self._drained)
        if self._declarations.due() and self._transaction(self._declarations.write):
            self._declarations.written()

    def close(self) -> None:
        self._connect.close()

    def _register(self, cur: Cursor) -> None:
        register_worker(cur, self._name, self._queues, self._slots, self._spare)
        self._drained = keep_drained(cur, self._name)
        report_own_worker(
            cur,
            WorkerEntry(
                name=self._name,
                host=socket.gethostname(),
                pid=os.getpid(),
                pool=self._pool,
                slots=self._slots,
                queues=self._queues,
                memory_bytes=memory_bytes(),
                versions={"python": platform.python_version(), "celery": celery.__version__},
                beat_seconds=settings().lease_round_seconds,
            ),
        )

    def _unregister(self) -> None:
        self._transaction(self._forget)
        self.close()

    def _forget(self, cur: Cursor) -> None:
        unregister_worker(cur, self._name)
        forget_own_worker(cur, self._name)

    def _transaction(self, statement: Callable[[Cursor], None]) -> bool:
        """Whether it was committed."""
        try:
            with self._connect() as conn, conn.cursor() as cur:
                statement(cur)
        except Exception as error:
            survived(logger, error, "this worker is not announced")
            return False
        return True


_announcement: WorkerAnnouncement | None = None
_spare = 0


@worker_init.connect
def _add_spare(sender: Any = None, **_: Any) -> None:
    """Adds the spare slots before the pool is made. A pool that scales by itself, or with the machine, gets none."""
    global _spare
    if pools.name_of(sender.pool_cls) == "solo":
        sender.concurrency = 1  # whatever the command line says
    elif isinstance(sender.concurrency, int) and not sender.options.get("autoscale"):
        _spare = settings().worker_spare_slots
        sender.concurrency += _spare


@celeryd_after_setup.connect
def _announce(instance: Any = None, **_: Any) -> None:
    """Announces the slots before the first message is taken: the first claim already counts them. This imports the job
    types, once for all children."""
    global _announcement
    slots = instance.max_concurrency or instance.concurrency
    queues = list(instance.app.amqp.queues.consume_from)
    _announcement = WorkerAnnouncement(
        instance.hostname, queues, slots, _spare, pools.name_of(instance.pool_cls)
    )
    _announcement.write()
    _announcement.close()  # the children that are made next must not inherit the connection


@worker_ready.connect
def _keep_announcing(sender: Any = None, **_: Any) -> None:
    if _announcement:
        _announcement.start(sender)


@worker_shutting_down.connect
def _withdraw(**_: Any) -> None:
    if _announcement:
        _announcement.thread.stop()
