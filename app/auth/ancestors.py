"""The ancestors of tasks: a share token reads a run and all tasks below it."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache

from app.auth.owners import KEPT_SECONDS, KEPT_TASKS
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

# Literal, for it is recursive. UNION ends it, also where parents formed a circle.
_ANCESTORS = """WITH RECURSIVE ancestors (id, parent_id) AS (
        SELECT id, parent_id FROM tasks WHERE id = %s
        UNION SELECT tasks.id, tasks.parent_id FROM tasks JOIN ancestors ON tasks.id = ancestors.parent_id)
    SELECT id::text FROM ancestors"""


class Ancestors:
    """All calls come from one loop. A task is never moved to another parent; one that gets its first parent later is
    noticed after KEPT_SECONDS."""

    def __init__(self, read: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._kept: TTLCache[str, frozenset[str]] = TTLCache(KEPT_TASKS, KEPT_SECONDS, clock)
        self._single_flight: SingleFlight[frozenset[str]] = SingleFlight()

    def is_within(self, task_id: str, run: str) -> bool:
        """Returns whether the task is the run, or below it at any depth. Raises DatabaseUnavailable."""
        found = self._kept.get(task_id)
        if found is None:
            found = self._kept[task_id] = self._single_flight(task_id, lambda: self._read_ancestors(task_id))
        return run in found

    def _read_ancestors(self, task_id: str) -> frozenset[str]:
        with self._read() as conn, conn.cursor() as cur:
            cur.execute(_ANCESTORS, (task_id,))
            return frozenset(str(row[0]) for row in cur)
