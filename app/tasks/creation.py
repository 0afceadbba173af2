"""Inserts a new task: its row, its stream and its first events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.clock import database_now
from app.stream.event import Draft, task_stream
from app.stream.store import open_stream
from app.tasks.approvals import ApprovalRequest, approval_request
from app.tasks.fold import PENDING, WAITING
from app.tasks.status import status_event


@dataclass(frozen=True, slots=True)
class Origin:
    """The cause of a task; ``trigger`` is manual, scheduled, retry or subtask.

    ``retry_of``: the task stands in for that one, with its parameters and its owner. ``again_of``: somebody started it
    with the parameters of that one as a draft.

    A task belongs to its owner's tenant. A retry or a step belongs to the tenant of the original task or the parent,
    even if the owner has moved since: the same users may see its parameters.
    """

    trigger: str = "manual"
    retry_of: str | None = None
    again_of: str | None = None
    parent_id: str | None = None
    step: int | None = None


def insert_task(
    cur: Cursor,
    *,
    user_id: str,
    job_type: str,
    title: str,
    intent: str,
    params: Mapping[str, Any],
    secret_params: Mapping[str, Any] | None = None,
    approval: ApprovalRequest | None = None,
    origin: Origin = Origin(),
) -> tuple[str, list[Draft]]:
    """Inserts the row and the stream; returns the task's id and the events that the caller has to append.

    They make the task PENDING, which queues its dispatch 1; a task that needs approval first is WAITING, not queued.
    ``params`` are what readers of the task see; ``secret_params`` what its worker gets, where that is something else.
    """
    task_id, at, status = str(uuid.uuid4()), database_now(cur), WAITING if approval else PENDING
    stream, older = task_stream(task_id), origin.retry_of or origin.parent_id
    parent = task_stream(origin.parent_id) if origin.parent_id else None
    secret = Json(secret_params) if secret_params and secret_params != params else None
    cur.execute(
        """INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, secret_params,
                              trigger, retry_of, again_of, parent_id, step, created_at, status)
           VALUES (%s, %s, %s,
               (SELECT tenant FROM tasks WHERE id = %s
                UNION ALL SELECT tenant FROM users WHERE id = %s AND %s::uuid IS NULL),
               %s, %s, %s, %s, %s, %s, %s, (SELECT id FROM tasks WHERE id = %s FOR KEY SHARE), %s, %s, %s, %s)
           RETURNING again_of::text""",
        (
            *(task_id, open_stream(cur, stream, parent), user_id, older, user_id, older),
            *(job_type, title, intent, Json(params), secret),
            *(origin.trigger, origin.retry_of, origin.again_of, origin.parent_id, origin.step, at, status),
        ),
    )
    ((again_of,),) = cur.fetchall()  # None when that task was removed a moment ago
    fields = {
        "user_id": user_id,
        "job_type": job_type,
        "title": title,
        "intent": intent,
        "params": params,
        "parent_id": origin.parent_id,
        "retry_of": origin.retry_of,
        "again_of": again_of,
        "trigger": origin.trigger,
    }
    drafts = [first_event(stream, at, status, **fields)]
    if approval:
        drafts.append(approval_request(stream, approval))
    return task_id, drafts


def first_event(stream: str, at: str, status: str, **fields: Any) -> Draft:
    """Returns the first event of a task, which gives each field of the fold. ``at`` is the time of the creation."""
    times = ("started_at", "attempt_started_at", "finished_at")
    unset: dict[str, Any] = dict.fromkeys((*times, "plan", "usual", "result", "error", "worker"))
    unset |= dict.fromkeys(("again_of", "can_retry", "queue", "root_id", "group_id"))
    unset |= {"progress": 0, "progress_known": True, "retry_count": 0, "attempt": 0}
    unset |= {"observed": False, "created_at": at}
    return status_event(stream, status, at, **unset | fields)
