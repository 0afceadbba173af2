"""Nodes that Taskroom makes above reported tasks: one for a group whose members have no parent, and one for a parent of
which nothing was reported itself.

A node has no worker and no lease. The progress of a group is that of its members, as far as they are known. A round of
the lease reaper ends a node when all below it have ended and none has come for a while.
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
from app.tasks.observed.task import GROUP, UNKNOWN
from app.tasks.projection import load

QUIET_SECONDS = 10.0  # without a new member; then a group may end
UNREPORTED_SECONDS = 600.0  # as long for a parent that is not reported, whose reports may come late
ENDED_MOST = 200  # nodes that are ended in one round

_COUNT = """SELECT count(*), count(finished_at),
       count(*) FILTER (WHERE finished_at IS NOT NULL AND status <> 'SUCCESS'),
       CASE WHEN min(job_type) = max(job_type) THEN min(job_type) END
    FROM tasks WHERE parent_id = %s"""


def open_groups(cur: Cursor, task_ids: Sequence[str]) -> None:
    """Stores that these nodes have just been made."""
    if task_ids:
        cur.execute("INSERT INTO open_groups (task_id) SELECT unnest(%s::uuid[])", (list(task_ids),))


def apply_to_groups(cur: Cursor, changed: Iterable[tuple[State, Mapping[str, Any]]]) -> list[Draft]:
    """Returns the events that report how groups and unreported parents get on, after these changes of tasks.

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
            drafts.append(_progress(stream, state["task"], known, ended, job_type))
    return drafts


def group_start(stream: str, at: str) -> list[Draft]:
    """Returns the events that start a node with its first member."""
    fields = {"timestamp": at, "status": STARTED, "is_running": True, "started_at": at, "updated_at": at}
    started = {"timestamp": at, "agent_type": GROUP}
    return [draft(stream, "task_status", fields), draft(stream, "agent_started", started, projected=False)]


def _progress(stream: str, node: State, known: int, ended: int, job_type: str | None) -> Draft:
    """``job_type`` is that of all the tasks below; None when they have several."""
    at = now()
    what = f"{known:,} × {job_type}" if job_type else f"{known:,} tasks"
    fields: dict[str, Any] = {name: node[name] for name in ("status", "is_running")}
    fields |= {
        "current_phase_message": f"{ended:,} of {known:,} have ended",
        "timestamp": at,
        "updated_at": at,
    }
    if node["job_type"] == GROUP:
        fields |= {"title": f"Group of {what}", "progress": min(99.9, round(100 * ended / known, 1))}
    else:
        fields["title"] = f"Parent of {what}"
    return draft(stream, "task_status", fields)


def quiet_groups(cur: Cursor, round_seconds: float) -> list[str]:
    """Counts a round for each node, and returns those that may end: no task below is open, and none has come for
    QUIET_SECONDS or UNREPORTED_SECONDS. One call is one round."""
    cur.execute(
        """WITH counted AS (
               UPDATE open_groups SET newest_stream_id = found.newest,
                   quiet_rounds = CASE WHEN found.newest = newest_stream_id THEN quiet_rounds + 1 ELSE 0 END
               FROM (SELECT task_id AS id, coalesce((SELECT max(stream_id) FROM tasks WHERE parent_id = task_id), 0)
                         AS newest FROM open_groups
                     WHERE NOT EXISTS (SELECT FROM tasks WHERE parent_id = task_id AND finished_at IS NULL)) AS found
               WHERE task_id = found.id RETURNING task_id, quiet_rounds)
           SELECT task_id::text FROM counted JOIN tasks ON tasks.id = task_id
           WHERE quiet_rounds >= CASE WHEN job_type = %s THEN %s ELSE %s END ORDER BY quiet_rounds DESC LIMIT %s""",
        (
            GROUP,
            *(math.ceil(seconds / round_seconds) for seconds in (QUIET_SECONDS, UNREPORTED_SECONDS)),
            ENDED_MOST,
        ),
    )
    return [task_id for (task_id,) in cur]


def end_group(tx: Transaction, task_id: str) -> None:
    """Ends the group as its members ended, and a parent that was not reported as neither, unless a task below is open
    by now, or the parent was reported."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None:
        return
    cur.execute(_COUNT, (task_id,))
    known, ended, failed, _ = cur.fetchall()[0]
    if ended < known and not row.closed:
        return
    cur.execute("DELETE FROM open_groups WHERE task_id = %s", (task_id,))
    if row.closed or cur.rowcount == 0:
        return
    state, at = load(cur, [stream])[stream], database_now(cur)
    if state["task"]["job_type"] == UNKNOWN:
        tx.append(ending_of(stream, state, REVOKED, _not_reported(known), at))
        return
    status, error = SUCCESS, None
    if row.cancel_requested:
        status, error = REVOKED, cancelled_error()
    elif failed:
        status = FAILURE
        error = task_error("MembersFailed", f"{failed:,} of {known:,} did not succeed")
    run_ms = seconds_between(state["task"]["started_at"], at) * 1000
    result = {"members": known, "failed": failed}
    tx.append(ending_of(stream, state, status, error, at, result=result, run_ms=run_ms))


def _not_reported(known: int) -> dict[str, Any]:
    below = "the task below it has" if known == 1 else f"the {known:,} tasks below it have"
    message = f"Nothing was reported of this task itself; {below} ended"
    return task_error("NotReported", message)
