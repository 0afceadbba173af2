"""What is known to wait in the queues of those who report, whether or not the broker still counts it: a worker that has
taken a message and not begun its task has it, and nobody asks the broker when no worker is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

MOST = 1_000  # tasks of a queue that are counted

# Of two queues of one name, of two projects of a tenant, each has the tasks of its own reporter.
_WAITING = """SELECT queue.id::text, count(*), extract(epoch FROM now() - min(created_at))::float8
    FROM queue_reports AS queue CROSS JOIN LATERAL (
        SELECT created_at, reporter FROM tasks
        WHERE observed AND status = 'PENDING' AND tasks.queue = queue.name
            AND coalesce(tasks.tenant, tasks.user_id::text) = coalesce(queue.tenant, queue.user_id::text)
        ORDER BY created_at LIMIT %(most)s) AS task
    WHERE queue.id = ANY(%(queues)s::uuid[]) AND queue.user_id IS NOT NULL
        AND (task.reporter = queue.reporter OR NOT EXISTS (
            SELECT FROM queue_reports AS other WHERE other.name = queue.name AND other.id <> queue.id
                AND coalesce(other.tenant, other.user_id::text) = coalesce(queue.tenant, queue.user_id::text)))
    GROUP BY queue.id"""


class Waiting(NamedTuple):
    """``number`` is ``MOST`` for more, too."""

    number: int = 0
    oldest_seconds: float | None = None


def waiting_in(cur: Cursor, queues: Sequence[str]) -> dict[str, Waiting]:
    """Returns what waits in each of these queues, by their ids in ``queue_reports``; our own have none."""
    cur.execute(_WAITING, {"queues": list(queues), "most": MOST})
    return {queue: Waiting(number, oldest) for queue, number, oldest in cur.fetchall()}
