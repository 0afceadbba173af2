"""Groups: tasks that others made together and that have no parent hang under a node that Taskroom makes for the group.

The node has no worker and no lease. Its progress is that of its members, as far as they are known, and a round of the
lease reaper ends it when all have ended and none has come for a while.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import database_now, seconds_between
from app.stream.event import Draft, draft, now, task_stream
from app.stream.store import lock
from app.stream.transaction import Transaction
from app.tasks.endings import cancelled_error, ending_of, task_error
from app.tasks.fold import FAILURE, REVOKED, STARTED, SUCCESS, TERMINAL, State
from app.tasks.observed.task import GROUP
from app.tasks.projection import load

QUIET_SECONDS = 10.0  # without a new member; then a group may end
ENDED_MOST = 200  # groups that are ended in one round

_COUNT = """SELECT count(*), count(finished_at),
       count(*) FILTER (WHERE finished_at IS NOT NULL AND status <> 'SUCCESS'),
       CASE WHEN min(job_type) = max(job_type) THEN min(job_type) END
    FROM tasks WHERE parent_id = %s"""


def open_groups(cur: Cursor, task_ids: Sequence[str]) -> None:
    """Stores that these nodes have just been made."""
    if task_ids:
        cur.execute("INSERT INTO open_groups (task_id) SELECT unnest(%s::uuid[])", (list(task_ids),))


def apply_to_groups(cur: Cursor, changed: Iterable[tuple[State, Mapping[str, Any]]]) -> list[Draft]:
    """Returns the events that report the progress of groups, after these changes of tasks.

    A group that another transaction has locked is left out: to wait could deadlock, and the next end of a member counts
    all of them.
    """
    parents = {
        task["parent_id"]
        for task, event in changed
        if task["observed"] and task["parent_id"] and event.get("status") in TERMINAL
    }
    if not parents:
        return []
    cur.execute("SELECT task_id::text FROM open_groups WHERE task_id = ANY(%s::uuid[])", (list(parents),))
    streams = [task_stream(task_id) for (task_id,) in cur]
    rows = lock(cur, streams, wait=False) if streams else {}
    drafts: list[Draft] = []
    for stream, state in load(cur, list(rows)).items() if rows else ():
        if not rows[stream].closed:
            cur.execute(_COUNT, (state["task"]["task_id"],))
            known, ended, _, job_type = cur.fetchall()[0]
            drafts.append(_progress(stream, known, ended, _title(known, job_type)))
    return drafts


def group_start(stream: str, at: str) -> list[Draft]:
    """Returns the events that start a node with its first member."""
    fields = {"timestamp": at, "status": STARTED, "is_running": True, "started_at": at, "updated_at": at}
    started = {"timestamp": at, "agent_type": GROUP}
    return [draft(stream, "task_status", fields), draft(stream, "agent_started", started, projected=False)]


def _title(known: int, job_type: str | None) -> str:
    """Returns the title of a group of so many members, which are all of this job type; None for several."""
    return f"Group of {known:,} × {job_type}" if job_type else f"Group of {known:,} tasks"


def _progress(stream: str, known: int, ended: int, title: str) -> Draft:
    at = now()
    fields = {
        "timestamp": at,
        "status": STARTED,
        "is_running": True,
        "title": title,
        "current_phase_message": f"{ended:,} of {known:,} have ended",
        "progress": min(99.9, round(100 * ended / known, 1)),
        "updated_at": at,
    }
    return draft(stream, "task_status", fields)


def quiet_groups(cur: Cursor, round_seconds: float) -> list[str]:
    """Counts a round for each open group, and returns those that may end: no member is open, and none has come for
    QUIET_SECONDS. One call is one round."""
    cur.execute(
        """WITH counted AS (
               UPDATE open_groups SET newest_stream_id = found.newest,
                   quiet_rounds = CASE WHEN found.newest = newest_stream_id THEN quiet_rounds + 1 ELSE 0 END
               FROM (SELECT task_id AS id, coalesce((SELECT max(stream_id) FROM tasks WHERE parent_id = task_id), 0)
                         AS newest FROM open_groups
                     WHERE NOT EXISTS (SELECT FROM tasks WHERE parent_id = task_id AND finished_at IS NULL)) AS found
               WHERE task_id = found.id RETURNING task_id, quiet_rounds)
           SELECT task_id::text FROM counted WHERE quiet_rounds >= %s ORDER BY quiet_rounds DESC LIMIT %s""",
        (math.ceil(QUIET_SECONDS / round_seconds), ENDED_MOST),
    )
    return [task_id for (task_id,) in cur]


def end_group(tx: Transaction, task_id: str) -> None:
    """Ends the group as its members ended, unless another member is open by now."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None:
        return
    cur.execute(_COUNT, (task_id,))
    known, ended, failed, _ = cur.fetchall()[0]
    if ended < known and not row.closed:
        return
    cur.execute("DELETE FROM open_groups WHERE task_id = %s", (task_id,))
    if row.closed:
        return
    state, at = load(cur, [stream])[stream], database_now(cur)
    status, error = SUCCESS, None
    if row.cancel_requested:
        status, error = REVOKED, cancelled_error()
    elif failed:
        status = FAILURE
        error = task_error("MembersFailed", f"{failed:,} of {known:,} did not succeed")
    run_ms = seconds_between(state["task"]["started_at"], at) * 1000
    result = {"members": known, "failed": failed}
    tx.append(ending_of(stream, state, status, error, at, result=result, run_ms=run_ms))
