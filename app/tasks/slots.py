"""Which Celery workers there are and how many of their slots one user may have.

A worker has a slot more than it was asked for: what one user may have leaves that one to somebody else, so that no
number of long tasks keeps all others waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

MISSED_ROUNDS = 4  # a worker that was not heard for so many is gone


@dataclass(frozen=True, slots=True)
class Cap:
    """``most`` tasks of one user run at a time among the workers of a queue; 0: as many as they have slots, without
    the spare ones. ``fresh``: who was not heard for so many seconds has no slots."""

    most: int = 0
    fresh: float = 20.0

    @classmethod
    def of(cls, most: int, round_seconds: float) -> Cap:
        return cls(most, MISSED_ROUNDS * round_seconds)

    def values(self, **more: Any) -> dict[str, Any]:
        """For a statement that begins with SLOTS."""
        return {"most": self.most, "fresh": self.fresh, **more}


# Of a queue: its workers, what each user has running there, how many a user may have (NULL: no worker is known, and
# nothing is held back) and how many slots are idle.
SLOTS = """
    crew AS (SELECT name, slots, spare FROM workers
        WHERE %(queue)s = ANY(queues) AND seen_at > now() - make_interval(secs => %(fresh)s)),
    occupied AS (SELECT tasks.user_id, count(*) AS number FROM leases JOIN tasks ON tasks.id = leases.task_id
        JOIN crew ON starts_with(tasks.worker, crew.name || '/') WHERE holder IS NULL GROUP BY tasks.user_id),
    cap AS (SELECT coalesce(nullif(%(most)s, 0),
            CASE WHEN count(*) > 0 THEN greatest(sum(slots - spare), 1) END) AS most,
        coalesce(sum(slots), 0) - (SELECT coalesce(sum(number), 0) FROM occupied) AS idle FROM crew)"""


def register_worker(cur: Cursor, name: str, queues: Sequence[str], slots: int, spare: int) -> None:
    """Says that the worker lives. Those that have not for an hour are forgotten."""
    cur.execute(
        """INSERT INTO workers (name, queues, slots, spare) VALUES (%s, %s, %s, %s)
           ON CONFLICT (name) DO UPDATE SET queues = EXCLUDED.queues, slots = EXCLUDED.slots,
               spare = EXCLUDED.spare, seen_at = now();
           DELETE FROM workers WHERE seen_at < now() - interval '1 hour'""",
        (name, list(queues), slots, spare),
    )


def unregister_worker(cur: Cursor, name: str) -> None:
    """Says that it takes no more tasks."""
    cur.execute("DELETE FROM workers WHERE name = %s", (name,))
