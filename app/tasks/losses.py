"""The attempts that were lost with their worker, so that the worker's row can name them."""

from __future__ import annotations

from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

OWN_WORKERS = UUID(int=0)  # the namespace of the names of our own workers; that of others is their reporter


def record_loss(cur: Cursor, task_id: str, attempt: int) -> None:
    """Records that this running attempt is lost with its worker. An attempt that was claimed over REST has none."""
    cur.execute(
        """SELECT worker, reporter::text FROM tasks JOIN leases ON task_id = id
           WHERE id = %s AND status = 'STARTED' AND worker IS NOT NULL AND (observed OR holder IS NULL)""",
        (task_id,),
    )
    for worker, reporter in cur.fetchall():
        name = worker.rpartition("/")[0] or worker  # without the process
        cur.execute(
            "INSERT INTO lost_attempts (task_id, attempt, worker_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (task_id, attempt, str(uuid5(UUID(reporter) if reporter else OWN_WORKERS, name))),
        )
