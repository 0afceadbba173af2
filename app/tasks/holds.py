"""Holds: queues of ours that an operator has paused, and workers of ours that one has drained.

Nothing more is claimed from a paused queue, nor by a drained worker. What runs goes on, and what waits keeps its place.
Holds are rows in Postgres, so they outlive every process. The statement that chooses a task reads them too: a task that
was queued after a hold is not claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.stream.transaction import Hint, Transaction

Kind = Literal["queue", "worker"]

HINTS = 200  # that are sent at once when a queue goes on; rounds send the others
DUE_AT_ONCE = 10_000  # tasks whose hints are due at once then; those of the others are due by their own time

# Of a claim: whether its queue is paused or its worker is drained.
IS_HELD = "EXISTS (SELECT FROM holds WHERE (kind, name) IN (('queue', %(queue)s), ('worker', %(worker)s)))"


class Hold(NamedTuple):
    """``by`` is an e-mail address; ``tenant`` that account's, None too when it was deleted."""

    by: str
    since: str
    tenant: str | None


def hold(cur: Cursor, kind: Kind, name: str, user_id: str, by: str) -> tuple[Hold, bool]:
    """Holds the queue or worker; returns its hold, and whether it is new. An earlier hold stays as it is."""
    cur.execute(
        """INSERT INTO holds (kind, name, user_id, held_by) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        (kind, name, user_id, by),
    )
    is_new = cur.rowcount > 0
    return holds_of(cur, kind, [name])[name], is_new


def release_queue(tx: Transaction, name: str, types: Sequence[str]) -> bool:
    """Lets a queue go on, with hints for the tasks of its job types; returns whether it was paused."""
    if not _release(tx.cur, "queue", name):
        return False
    tx.cur.execute(
        """UPDATE dispatches SET next_send_at = now() WHERE task_id IN (
               SELECT task_id FROM dispatches WHERE due_at <= now() AND job_type = ANY(%s) AND next_send_at > now()
               ORDER BY next_send_at LIMIT %s FOR UPDATE SKIP LOCKED)""",
        (list(types), DUE_AT_ONCE),
    )
    tx.cur.execute(
        """SELECT task_id::text, number, job_type FROM dispatches WHERE due_at <= now() AND job_type = ANY(%s)
           ORDER BY next_send_at LIMIT %s""",
        (list(types), HINTS),
    )
    tx.hints += [Hint(*row) for row in tx.cur]
    return True


def release_worker(cur: Cursor, name: str) -> bool:
    """Lets a worker claim again; returns whether it was drained."""
    return _release(cur, "worker", name)


def holds_of(cur: Cursor, kind: Kind, names: Sequence[str]) -> dict[str, Hold]:
    """Returns the holds of those of the names that are held."""
    cur.execute(
        f"""SELECT name, held_by, {TIME_TEXT.format("since")}, tenant
            FROM holds LEFT JOIN users ON users.id = user_id WHERE kind = %s AND name = ANY(%s)""",
        (kind, list(names)),
    )
    return {name: Hold(*rest) for name, *rest in cur}


def paused_queues(cur: Cursor) -> set[str]:
    cur.execute("SELECT name FROM holds WHERE kind = 'queue'")
    return {name for (name,) in cur}


def keep_drained(cur: Cursor, worker: str) -> bool:
    """Returns whether the worker is drained; the hold is kept for as long as the worker asks."""
    cur.execute("UPDATE holds SET seen_at = now() WHERE kind = 'worker' AND name = %s", (worker,))
    return cur.rowcount > 0


def _release(cur: Cursor, kind: Kind, name: str) -> bool:
    cur.execute("DELETE FROM holds WHERE kind = %s AND name = %s", (kind, name))
    return cur.rowcount > 0
