"""Taskroom's own workers and queues, reported as those of others are. Every account may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from uuid import uuid5

from msgspec.structs import replace
from psycopg2.extensions import cursor as Cursor

from app.stream.store import Connect
from app.tasks.holds import Kind
from app.tasks.losses import OWN_WORKERS
from app.tasks.observed.fleet import (
    MOST_RUNNING,
    QueueEntry,
    Whose,
    WorkerEntry,
    report_queues,
    report_workers,
)

OWN = Whose(OWN_WORKERS)


def report_own_worker(cur: Cursor, worker: WorkerEntry) -> None:
    """Stores one of our workers with the tasks that it runs."""
    cur.execute(
        """SELECT task_id::text FROM leases JOIN tasks ON tasks.id = task_id
           WHERE holder IS NULL AND starts_with(worker, %s) ORDER BY started_at LIMIT %s""",
        (f"{worker.name}/", MOST_RUNNING),
    )
    running = [task_id for (task_id,) in cur]
    report_workers(cur, OWN, [replace(worker, running=running)], lambda ids: ids)


def forget_own_worker(cur: Cursor, name: str) -> None:
    """Deletes the row of a worker that ends. That of a drained one stays: it is drained when it comes back."""
    cur.execute(
        """DELETE FROM worker_reports
           WHERE id = %s AND NOT EXISTS (SELECT FROM holds WHERE kind = 'worker' AND holds.name = %s)""",
        (str(uuid5(OWN.namespace, name)), name),
    )


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


def owners_of(cur: Cursor, kind: Kind, name: str, whose: Mapping[str, str]) -> set[bool]:
    """Returns whether the workers or queues of this name are ours, of those that the caller sees; empty for no such
    name. ``whose``: the account and its tenant, empty for all."""
    table = {"worker": "worker_reports", "queue": "queue_reports"}[kind]
    cur.execute(
        f"""SELECT user_id IS NULL FROM {table} WHERE name = %(name)s
                AND (user_id IS NULL OR %(user_id)s IS NULL OR user_id = %(user_id)s::uuid OR tenant = %(tenant)s)
            UNION SELECT true FROM holds WHERE kind = %(kind)s AND name = %(name)s""",
        {"kind": kind, "name": name, "user_id": whose.get("user_id"), "tenant": whose.get("tenant")},
    )
    return {own for (own,) in cur}
