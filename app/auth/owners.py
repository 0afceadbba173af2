"""Whose task it is: asked of Postgres once for a crowd, not once for each viewer."""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa

from app.auth.lru import Lru
from app.db.statements import Statement, as_text
from app.models.tasks import Task
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

KEPT_SECONDS = 30.0  # an owner never changes; this is how late a deleted task is noticed
KEPT_TASKS = 20_000
_OWNER = Statement(sa.select(*as_text(Task.user_id), Task.tenant).where(Task.id == sa.bindparam("task")))


class Owner(NamedTuple):
    user_id: str
    tenant: str | None  # of the task: the user's when it was made


class Owners:
    def __init__(self, read: Connect) -> None:
        self._read = read
        self._kept: Lru[str, tuple[Owner, float]] = Lru(KEPT_TASKS)
        self._single_flight: SingleFlight[Owner | None] = SingleFlight()

    def of(self, task_id: str) -> Owner | None:
        """Whose task it is; None when there is no such task. Raises DatabaseUnavailable.

        All who ask for one task at one time share one query, and its error. An absent task is not kept.
        """
        kept = self._kept.get(task_id)
        if kept and time.monotonic() < kept[1]:
            return kept[0]
        return self._single_flight(task_id, lambda: self._ask(task_id))

    def _ask(self, task_id: str) -> Owner | None:
        until = time.monotonic() + KEPT_SECONDS
        with self._read() as conn, conn.cursor() as cur:
            row = _OWNER.execute(cur, task=task_id).fetchone()
        if row is None:
            return None
        owner = Owner(*row)
        self._kept.put(task_id, (owner, until))
        return owner
