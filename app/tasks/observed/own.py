"""Taskroom's own workers and queues, reported as those of others are. Every account may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Connect
from app.tasks.observed.fleet import (
    MOST_RUNNING,
    QueueEntry,
    Whose,
    WorkerEntry,
    report_queues,
    report_workers,
)

OWN = Whose(UUID(int=0))


def report_own_worker(cur: Cursor, worker: WorkerEntry) -> None:
    """Stores one of our workers with the tasks that it runs."""
    cur.execute(
        """SELECT task_id::text FROM leases JOIN tasks ON tasks.id = task_id
           WHERE holder IS NULL AND starts_with(worker, %s) ORDER BY started_at LIMIT %s""",
        (f"{worker.name}/", MOST_RUNNING),
    )
    report_workers(cur, OWN, [worker], {worker.name: [task_id for (task_id,) in cur]})


def forget_own_worker(cur: Cursor, name: str) -> None:
    cur.execute("DELETE FROM worker_reports WHERE id = %s", (str(uuid5(OWN.namespace, name)),))


def report_own_queues(
    connect: Connect, queues: Iterable[str], queue_of: Callable[[], Mapping[str, str]], beat: float
) -> None:
    """Stores how many tasks wait in each of our queues, and for how long the first. ``queue_of`` returns the queue of
    each job type; a type that it does not know counts for the first of ``queues``."""
    of_types, known = queue_of(), list(queues)
    depth, oldest = Counter[str](), dict[str, float]()
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT job_type, count(*), extract(epoch FROM now() - min(due_at))::float8
               FROM dispatches WHERE due_at <= now() GROUP BY job_type"""
        )
        for job_type, number, waited in cur:
            queue = of_types.get(job_type, known[0])
            depth[queue] += number
            oldest[queue] = max(waited, oldest.get(queue, 0.0))
        entries = [
            QueueEntry(name=name, depth=depth[name], oldest_wait_seconds=oldest.get(name), beat_seconds=beat)
            for name in {*known, *of_types.values()}
        ]
        report_queues(cur, OWN, entries)
