"""What may happen to a task, each step one transaction under its stream's lock.

Functions take an open cursor and return what was appended; the caller publishes after its commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.errors import Conflict, NotFound
from app.projections import project
from app.stream.event import draft, now, task_stream
from app.stream.store import Appended, append, lock, open_stream
from app.tasks.approvals import Approval, granted, needed
from app.tasks.endings import BROKER_UNAVAILABLE, WORKER_LOST, cancelled, ending_of
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, STARTED, WAITING
from app.tasks.projection import load


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one attempt of a task."""

    task_id: str
    attempt: int
    job_type: str
    params: Mapping[str, Any]
    retry_count: int
    started_at: str
    approved: frozenset[str] = frozenset()  # the keys of what was granted


def create(
    cur: Cursor,
    *,
    user_id: str,
    job_type: str,
    title: str,
    intent: str,
    params: Mapping[str, Any],
    trigger: str = "manual",
    retry_of: str | None = None,
    approval: Approval | None = None,
) -> tuple[str, Appended]:
    """A new PENDING task with its stream and first event, queued for dispatch 1; WAITING, and not queued, when it
    needs an approval first. It is of its owner's tenant; a retry is of the old task's, whatever its owner's is by
    now: who may see what it was given stays the same."""
    task_id, at, status = str(uuid.uuid4()), now(), WAITING if approval else PENDING
    stream = task_stream(task_id)
    cur.execute(
        """INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params,
                              trigger, retry_of, created_at, status)
           VALUES (%s, %s, %s,
               (SELECT tenant FROM tasks WHERE id = %s
                UNION ALL SELECT tenant FROM users WHERE id = %s AND %s::uuid IS NULL),
               %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            *(task_id, open_stream(cur, stream), user_id, retry_of, user_id, retry_of),
            *(job_type, title, intent, Json(params)),
            *(trigger, retry_of, at, status),
        ),
    )
    first = {
        "timestamp": at,
        "status": status,
        "is_running": False,
        "current_phase": None,
        "current_phase_message": None,
        "progress": 0,
        "started_at": None,
        "updated_at": at,
        "eta_seconds": None,
        "result": None,
        "error": None,
        "retry_count": 0,
        "attempt": 0,
        "worker": None,
        "finished_at": None,
        "created_at": at,
        "user_id": user_id,
        "job_type": job_type,
        "title": title,
        "intent": intent,
        "params": params,
        "parent_id": None,
        "retry_of": retry_of,
        "trigger": trigger,
    }
    drafts = [draft(stream, "task_status", first)]
    if approval:
        drafts.append(needed(stream, approval))
    return task_id, append(cur, drafts, project)


def claim(
    cur: Cursor, task_id: str, number: int, worker: str, again: bool = False
) -> tuple[Claim, Appended] | None:
    """Takes attempt ``number`` for this worker; None when the message is late, doubled or for nothing.

    The dispatch row is the queue entry: it exists only while the task is PENDING or RETRY. ``again`` is for
    a claim whose commit was unclear: the same worker, one process, finds that it has the task already.
    """
    stream = task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None or row.closed:
        return None
    task, at = load(cur, [stream])[stream]["task"], now()
    started_at = task["started_at"] or at
    claimed = Claim(
        *(task_id, number, task["job_type"], task["params"], task["retry_count"], started_at),
        granted(cur, task_id),
    )
    cur.execute("SELECT 1 FROM dispatches WHERE task_id = %s AND number = %s", (task_id, number))
    if cur.fetchone() is None:
        ours = again and (task["status"], row.attempt, task["worker"]) == (STARTED, number, worker)
        return (claimed, Appended()) if ours else None
    cur.execute("UPDATE streams SET attempt = %s WHERE id = %s", (number, row.id))
    fields = {
        "timestamp": at,
        "status": STARTED,
        "is_running": True,
        "current_phase": None,
        "current_phase_message": None,
        "progress": 0,
        "started_at": started_at,
        "updated_at": at,
        "eta_seconds": None,
        "error": None,
        "attempt": number,
        "worker": worker,
    }
    appended = append(
        cur,
        [
            draft(stream, "task_status", fields),
            draft(
                stream, "agent_started", {"timestamp": at, "agent_type": task["job_type"]}, projected=False
            ),
        ],
        project,
    )
    return claimed, appended


def cancel(cur: Cursor, task_id: str, by: str) -> Appended:
    """Ends a task that waits; asks one that runs to stop at its next report. Conflict when it has ended."""
    stream = task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    state = load(cur, [stream])[stream]
    task = state["task"]
    if row.closed:
        raise Conflict(f"The task has ended already: {task['status']}")
    if task["status"] != STARTED:
        return append(cur, ending_of(stream, state, REVOKED, cancelled(by)), project)
    if row.cancel_requested:
        return Appended()
    cur.execute("UPDATE streams SET cancel_requested = true WHERE id = %s", (row.id,))
    request = {"timestamp": now(), "level": "WARNING", "message": f"Cancel requested by {by}"}
    return append(
        cur,
        [
            draft(
                stream,
                "log",
                request | {"component": "taskroom", "phase": task["current_phase"]},
                projected=False,
            )
        ],
        project,
    )


def lose(cur: Cursor, task_id: str, attempt: int, retry: bool) -> Appended:
    """Ends an attempt whose worker is gone, unless it ended meanwhile; RETRY when ``retry``."""
    stream = task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None or row.closed or row.attempt != attempt:
        return Appended()
    state = load(cur, [stream])[stream]
    if state["task"]["status"] != STARTED:
        return Appended()
    if row.cancel_requested:
        return append(cur, ending_of(stream, state, REVOKED, cancelled()), project)
    return append(cur, ending_of(stream, state, RETRY if retry else FAILURE, WORKER_LOST), project)


def undeliverable(cur: Cursor, task_id: str) -> Appended:
    """Ends a task whose first message the broker did not take; nothing when a worker has it all the same."""
    stream = task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None or row.closed or row.attempt != 0:
        return Appended()
    return append(cur, ending_of(stream, load(cur, [stream])[stream], FAILURE, BROKER_UNAVAILABLE), project)
