"""Leases of observed attempts: a reporter renews them by naming the task in any batch."""

from __future__ import annotations

import math
from collections.abc import Collection

from psycopg2.extensions import cursor as Cursor

from app.tasks.observed.part import DEFAULT_LEASE
from app.tasks.observed.task import ObservedTask

# SKIP LOCKED: the caller may hold other locks, and a lease that a round or another batch has locked is renewed by that
# batch, or by the next one.
_RENEW = """UPDATE leases SET missed = 0 WHERE task_id IN (
    SELECT task_id FROM leases WHERE task_id = ANY(%s::uuid[]) AND missed > 0 FOR NO KEY UPDATE SKIP LOCKED)"""


def rounds_of(seconds: int, round_seconds: float) -> int:
    """Returns the rounds that a lease of so many seconds may miss. The first one may come at once."""
    return math.ceil(seconds / round_seconds) + 1


def renew(cur: Cursor, task_ids: Collection[str]) -> set[str]:
    """Renews the leases; returns those of the tasks that are to stop."""
    if not task_ids:
        return set()
    cur.execute(_RENEW, (list(task_ids),))
    cur.execute(
        """SELECT tasks.id::text FROM tasks JOIN streams ON streams.id = stream_id
           WHERE tasks.id = ANY(%s::uuid[]) AND cancel_requested AND NOT closed""",
        (list(task_ids),),
    )
    return {task_id for (task_id,) in cur}


def keep(cur: Cursor, holder: str, tasks: Collection[ObservedTask], round_seconds: float) -> None:
    """Renews the leases of the attempts that run, and makes those of attempts that have begun or have another length.
    The caller holds the locks of the tasks and has appended the events, some of which end leases."""
    running = [task for task in tasks if task.runs]
    due = [task for task in running if task.lease_due]
    if others := [task.task_id for task in running if not task.lease_due]:
        cur.execute(_RENEW, (others,))
    lengths = [(task, DEFAULT_LEASE if task.lease_seconds is None else task.lease_seconds) for task in due]
    if dropped := [task.task_id for task, seconds in lengths if not seconds]:
        cur.execute("DELETE FROM leases WHERE task_id = ANY(%s::uuid[])", (dropped,))
    if kept := [(task, seconds) for task, seconds in lengths if seconds]:
        cur.execute(
            """INSERT INTO leases (task_id, attempt, rounds, holder)
               SELECT lease.*, %s FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS lease
               ON CONFLICT (task_id) DO UPDATE SET attempt = EXCLUDED.attempt, rounds = EXCLUDED.rounds,
                   holder = EXCLUDED.holder, missed = 0""",
            (
                holder,
                [task.task_id for task, _ in kept],
                [task.attempt for task, _ in kept],
                [rounds_of(seconds, round_seconds) for _, seconds in kept],
            ),
        )
