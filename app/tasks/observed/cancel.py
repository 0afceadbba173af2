"""Cancels a task with all observed tasks below it."""

from __future__ import annotations

from collections.abc import Collection

from psycopg2.extensions import cursor as Cursor

from app.db.clock import database_now
from app.errors import Conflict, NotFound
from app.stream.event import Draft, task_stream
from app.stream.store import lock
from app.stream.transaction import Transaction
from app.tasks import lifecycle
from app.tasks.endings import cancel_request, cancelled_error, ending_of
from app.tasks.fold import REVOKED, STARTED
from app.tasks.observed.tree import BELOW
from app.tasks.projection import load

MOST = 200  # observed tasks that one transaction cancels


def cancel(tx: Transaction, task_id: str, by: str, bulk_id: str | None = None) -> bool:
    """Cancels a task of any kind with all that is below it; returns whether ``cancel_below`` has to go on.

    An observed task that waits ends at once, and the answer to its reporter says so when an attempt begins. One that
    runs is asked to stop. ``bulk_id`` is the bulk action that does it. Raises NotFound, and Conflict when the task has
    ended.
    """
    tx.cur.execute("SELECT observed FROM tasks WHERE id = %s", (task_id,))
    row = tx.cur.fetchone()
    if row is None or not row[0]:
        # Streams of observed tasks are locked after ours: a batch of theirs waits for none of ours.
        lifecycle.cancel(tx, task_id, by, bulk_id)
    roots = [task_stream(task_id)] if row and row[0] else []
    return _cancel(tx, by, _below(tx.cur, task_id), roots, bulk_id)


def cancel_below(tx: Transaction, task_id: str, by: str, bulk_id: str | None = None) -> bool:
    """Cancels more observed tasks below the task; returns whether to go on."""
    return _cancel(tx, by, _below(tx.cur, task_id), [], bulk_id)


def cancelled_before(cur: Cursor, task_ids: Collection[str]) -> set[str]:
    """Returns those of the tasks, which wait at a worker, that a user has cancelled."""
    if not task_ids:
        return set()
    cur.execute(
        """SELECT tasks.id::text FROM tasks JOIN streams ON streams.id = stream_id
           WHERE tasks.id = ANY(%s::uuid[]) AND cancel_requested""",
        (list(task_ids),),
    )
    return {task_id for (task_id,) in cur}


def _below(cur: Cursor, task_id: str) -> list[str]:
    """Returns the streams of open observed tasks that are not asked to stop yet, among them the task itself."""
    cur.execute(f"{BELOW} LIMIT %(most)s", {"root": task_id, "most": MOST})
    return [name for (name,) in cur]


def _cancel(tx: Transaction, by: str, streams: list[str], roots: list[str], bulk_id: str | None) -> bool:
    """Cancels these tasks, whose streams are locked in one statement, in the order of their ids."""
    cur = tx.cur
    rows = lock(cur, {*streams, *roots}) if streams or roots else {}
    for root in roots:
        if root not in rows:
            raise NotFound("There is no such task")
        if rows[root].closed:
            state = load(cur, [root])[root]
            raise Conflict(f"The task has ended already: {state['task']['status']}")
    asked = [name for name, row in rows.items() if not row.closed and not row.cancel_requested]
    if not asked:
        return False
    cur.execute(
        "UPDATE streams SET cancel_requested = true WHERE id = ANY(%s)", ([rows[name].id for name in asked],)
    )
    drafts, at = list[Draft](), database_now(cur)
    for stream, state in load(cur, asked).items():
        if state["task"]["status"] == STARTED:
            drafts.append(cancel_request(stream, state, by))
        else:
            drafts += ending_of(stream, state, REVOKED, cancelled_error(by), at, bulk_id=bulk_id)
    tx.append(drafts)
    return len(streams) == MOST
