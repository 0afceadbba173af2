"""The owners of tasks, read once for many viewers at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from cachetools import TTLCache

from app.db.statements import Statement, as_text
from app.models.tasks import Task
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

KEPT_SECONDS = (
    30.0  # a deleted task is noticed after this, and the owner of one that was only named as a parent
)
KEPT_TASKS = 20_000
_OWNER = Statement(sa.select(*as_text(Task.user_id), Task.tenant).where(Task.id == sa.bindparam("task")))


class Owner(NamedTuple):
    user_id: str
    tenant: str | None  # of the task: the user's tenant when the task was created


class Owners:
    """All calls come from one loop."""

    def __init__(self, read: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._kept: TTLCache[str, Owner] = TTLCache(KEPT_TASKS, KEPT_SECONDS, clock)
        self._single_flight: SingleFlight[Owner | None] = SingleFlight()

    def of(self, task_id: str) -> Owner | None:
        """Returns the owner of a task; None when there is no such task. Raises DatabaseUnavailable.

        Concurrent calls for a task share one query and its error. A missing task is not cached.
        """
        return self._kept.get(task_id) or self._single_flight(task_id, lambda: self._read_owner(task_id))

    def _read_owner(self, task_id: str) -> Owner | None:
        with self._read() as conn, conn.cursor() as cur:
            row = _OWNER.execute(cur, task=task_id).fetchone()
        if row is None:
            return None
        owner = self._kept[task_id] = Owner(*row)
        return owner
