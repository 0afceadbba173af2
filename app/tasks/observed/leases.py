"""Leases of observed tasks: a reporter renews them by naming the task in any batch.

An attempt that runs has one, and a task that waits for the next attempt, when its reporter has said in how many seconds
that begins. A message of a broker outlives its workers: a task with a queue keeps the lease for longer, and while
messages wait in the queue.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from psycopg2.extensions import cursor as Cursor

from app.stream.event import task_stream
from app.stream.store import lock
from app.stream.transaction import Transaction
from app.tasks.endings import CAME_LATE, WORKER_LOST, task_error
from app.tasks.fold import RETRY
from app.tasks.lifecycle import expire_lease
from app.tasks.observed.fleet import ALIVE_BEATS, ALIVE_SECONDS
from app.tasks.observed.part import DEFAULT_LEASE
from app.tasks.observed.task import ObservedTask

# As long as Redis keeps a message from others that a worker held when it was killed, unless Celery is told otherwise.
QUEUED_SECONDS = 3_600
LONGEST_WAIT = 366 * 86_400.0  # seconds until the next attempt
NOT_CONTINUED = task_error(
    "WorkerLost", "The next attempt has not begun, and nothing was heard of its reporter"
)

# SKIP LOCKED: the caller may hold other locks, and a lease that a round or another batch has locked is renewed by that
# batch, or by the next one.
_RENEW = """UPDATE leases SET missed = 0 WHERE task_id IN (
    SELECT task_id FROM leases WHERE task_id = ANY(%s::uuid[]) AND missed > 0 FOR NO KEY UPDATE SKIP LOCKED)"""

# The attempt of a lost task goes on here, and the last that was said of it was said before the loss: its process is
# gone, and another one has sent what it left.
_ONLY_LATE = """EXISTS (
    SELECT FROM tasks AS lost JOIN streams ON streams.id = lost.stream_id
    WHERE lost.id = tasks.retry_of AND lost.error ->> 'type' = 'WorkerLost'
        AND NOT EXISTS (SELECT FROM reported_attempts AS began
            WHERE began.task_id = lost.id AND began.attempt = streams.attempt)
        AND lost.finished_at >= (SELECT (payload::json ->> 'timestamp')::timestamptz FROM events
            WHERE stream_id = tasks.stream_id ORDER BY seq DESC LIMIT 1))"""


def rounds_of(seconds: float, round_seconds: float) -> int:
    """Returns the rounds that a lease of so many seconds may miss. The first one may come at once."""
    return math.ceil(seconds / round_seconds) + 1


def _seconds(task: ObservedTask) -> float:
    """Returns the length of the task's lease; 0 for none."""
    lease = DEFAULT_LEASE if task.lease_seconds is None else task.lease_seconds
    if not lease or task.runs:
        return lease
    lease = max(lease, QUEUED_SECONDS) if task.fields["queue"] else lease
    return lease + min(max(task.retry_in or 0.0, 0.0), LONGEST_WAIT)


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
    """Renews the leases of the tasks, and makes those of attempts that have begun, that will, or that have another
    length. The caller holds the locks of the tasks and has appended the events, some of which end leases."""
    held = [task for task in tasks if task.runs or task.fields["status"] == RETRY]
    due = [task for task in held if (task.lease_due if task.runs else task.retry_in is not None)]
    if others := [task.task_id for task in held if task not in due]:
        cur.execute(_RENEW, (others,))
    lengths = [(task, _seconds(task)) for task in due]
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


def expire(tx: Transaction, task_id: str, attempt: int) -> bool:
    """Ends a task whose reporter was silent for as long as its lease; returns False when that was renewed meanwhile,
    and when the task waits for its next attempt in a queue that is not empty."""
    cur, stream = tx.cur, task_stream(task_id)
    lock(cur, [stream])
    cur.execute(
        """SELECT status, EXISTS (
               SELECT FROM queue_reports WHERE name = tasks.queue AND depth > 0
                   AND seen_at > now() - make_interval(secs => greatest(%s, %s * beat_seconds))
                   AND queue_reports.tenant IS NOT DISTINCT FROM tasks.tenant
                   AND (tasks.tenant IS NOT NULL OR queue_reports.user_id = tasks.user_id)),
               """
        + _ONLY_LATE
        + """
           FROM leases JOIN tasks ON tasks.id = task_id
           WHERE task_id = %s AND attempt = %s AND missed >= rounds""",
        (ALIVE_SECONDS, ALIVE_BEATS, task_id, attempt),
    )
    row = cur.fetchone()
    if row is None:
        return False
    status, has_messages, only_late = row
    if status != RETRY:
        return expire_lease(tx, task_id, attempt, retry=False, error=CAME_LATE if only_late else WORKER_LOST)
    if has_messages:
        cur.execute("UPDATE leases SET missed = 0 WHERE task_id = %s", (task_id,))
        return False
    return expire_lease(tx, task_id, attempt, retry=False, error=NOT_CONTINUED)
