"""Running Celery workers, and how many of their slots one user may have.

A worker has a spare slot more than its setting. One user's tasks never take it, so that many long tasks of one user do
not keep all other users waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

MISSED_ROUNDS = 4  # a worker that does not report for so many rounds is gone


@dataclass(frozen=True, slots=True)
class Cap:
    """The limit of one user's running tasks among the workers of a queue: ``most``, or 0 for the number of their slots
    without the spare ones. A worker that does not report for ``fresh`` seconds has no slots."""

    most: int = 0
    fresh: float = 20.0

    @classmethod
    def of(cls, most: int, round_seconds: float) -> Cap:
        return cls(most, MISSED_ROUNDS * round_seconds)

    def values(self, **more: Any) -> dict[str, Any]:
        """Returns the parameters of a statement that begins with SLOTS."""
        return {"most": self.most, "fresh": self.fresh, **more}


# Of a queue: its workers that may claim (crew), the running tasks of each user (occupied), the cap of a user (NULL when
# no worker is known: then no task is held back) and the number of idle slots.
SLOTS = """
    crew AS (SELECT name, slots, spare FROM workers
        WHERE %(queue)s = ANY(queues) AND seen_at > now() - make_interval(secs => %(fresh)s)
            AND NOT EXISTS (SELECT FROM holds
                WHERE (kind, name) IN (('queue', %(queue)s), ('worker', workers.name)))),
    occupied AS (SELECT tasks.user_id, count(*) AS number FROM leases JOIN tasks ON tasks.id = leases.task_id
        JOIN crew ON starts_with(tasks.worker, crew.name || '/') WHERE holder IS NULL GROUP BY tasks.user_id),
    cap AS (SELECT coalesce(nullif(%(most)s, 0),
            CASE WHEN count(*) > 0 THEN greatest(sum(slots - spare), 1) END) AS most,
        coalesce(sum(slots), 0) - (SELECT coalesce(sum(number), 0) FROM occupied) AS idle FROM crew)"""


def register_worker(cur: Cursor, name: str, queues: Sequence[str], slots: int, spare: int) -> None:
    """Reports that the worker runs. Rows of workers that did not report for an hour are deleted."""
    cur.execute(
        """INSERT INTO workers (name, queues, slots, spare) VALUES (%s, %s, %s, %s)
           ON CONFLICT (name) DO UPDATE SET queues = EXCLUDED.queues, slots = EXCLUDED.slots,
               spare = EXCLUDED.spare, seen_at = now();
           DELETE FROM workers WHERE seen_at < now() - interval '1 hour'""",
        (name, list(queues), slots, spare),
    )


def unregister_worker(cur: Cursor, name: str) -> None:
    """Reports that the worker takes no more tasks."""
    cur.execute("DELETE FROM workers WHERE name = %s", (name,))
