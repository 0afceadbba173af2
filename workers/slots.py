"""The worker's slots: one more than it was asked for, and Postgres is told of them as long as the worker lives, and of
its job types."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery.signals import celeryd_after_setup, worker_init, worker_ready, worker_shutting_down
from psycopg2.extensions import cursor as Cursor

from app.db.pool import Single
from app.stream.store import DatabaseUnavailable
from app.tasks.slots import Cap, register_worker, unregister_worker
from workers.declarations import DeclarationWriter
from workers.settings import settings

logger = logging.getLogger("taskroom.slots")


def cap() -> Cap:
    """What one user may have running."""
    return Cap.of(settings().running_per_user, settings().lease_round_seconds)


class Presence:
    """Of the worker's main process, which works all the same when nobody could be told of it."""

    def __init__(self, name: str, queues: list[str], slots: int, spare: int) -> None:
        self._told = name, queues, slots, spare
        self._declarations = DeclarationWriter()
        self._connect = Single(settings().database_url)
        self._stopped = threading.Event()

    def tell(self) -> None:
        self._say(lambda cur: register_worker(cur, *self._told))
        if self._declarations.due() and self._say(self._declarations.write):
            self._declarations.written()

    def run(self) -> None:
        while not self._stopped.wait(settings().lease_round_seconds):
            self.tell()
        self._say(lambda cur: unregister_worker(cur, self._told[0]))
        self.close()

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        self._connect.close()

    def _say(self, what: Callable[[Cursor], None]) -> bool:
        """Whether it is durable."""
        try:
            with self._connect() as conn, conn.cursor() as cur:
                what(cur)
        except DatabaseUnavailable as error:
            logger.warning("nobody is told of this worker: %s", error)
        except Exception:
            logger.exception("nobody is told of this worker")
        else:
            return True
        return False


_presence: Presence | None = None
_spares = 0


@worker_init.connect
def _spare(sender: Any = None, **_: Any) -> None:
    """Before the pool is made. One that grows by itself, or by the machine's size, stays as it is."""
    global _spares
    if isinstance(sender.concurrency, int) and not sender.options.get("autoscale"):
        _spares = settings().worker_spare_slots
        sender.concurrency += _spares


@celeryd_after_setup.connect
def _arrive(instance: Any = None, **_: Any) -> None:
    """Before the first message is taken: who claims must know how many slots there are. Job types are imported here,
    once for all children."""
    global _presence
    slots = instance.max_concurrency or instance.concurrency
    _presence = Presence(instance.hostname, list(instance.app.amqp.queues.consume_from), slots, _spares)
    _presence.tell()
    _presence.close()  # the children that are made next get no connection of it


@worker_ready.connect
def _stay(**_: Any) -> None:
    if _presence:
        threading.Thread(target=_presence.run, name="taskroom-slots", daemon=True).start()


@worker_shutting_down.connect
def _leave(**_: Any) -> None:
    if _presence:
        _presence.stop()
