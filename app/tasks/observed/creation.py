"""Inserts new observed tasks: all of a batch in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from app.stream.event import task_stream

INTENT = "observed"
# Columns whose values are the fields of the first event.
_FIELDS = (
    *("user_id", "job_type", "title", "intent", "params", "parent_id", "retry_of", "trigger", "created_at"),
    *("status", "observed", "can_retry", "queue", "root_id", "group_id"),
)
_INSERT = f"""INSERT INTO tasks (id, stream_id, tenant, reporter, reported_id, lease_seconds, {", ".join(_FIELDS)})
    VALUES %s"""


class NewTask(NamedTuple):
    """The row of a task, with the fields of its first event. ``reported_id`` is None for a task that only others have
    named."""

    task_id: str
    stream_id: int
    tenant: str | None
    reporter: str | None
    reported_id: str | None
    lease_seconds: int | None
    fields: Mapping[str, Any]


def open_streams(cur: Cursor, task_ids: Collection[str]) -> dict[str, int]:
    """Inserts the streams that do not exist, in one statement; returns their ids by task.

    Called before any stream is locked, and in the order of the names: a batch that waits here for another one, which
    makes the same task, holds nothing that the other could wait for.
    """
    if not task_ids:
        return {}
    names = {task_stream(task_id): task_id for task_id in sorted(task_ids)}
    cur.execute(
        "INSERT INTO streams (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING name, id",
        (list(names),),
    )
    return {names[name]: id for name, id in cur.fetchall()}


def insert_tasks(cur: Cursor, tasks: Sequence[NewTask]) -> None:
    if not tasks:
        return
    rows = [
        (
            *task[:-1],
            *(Json(task.fields[name]) if name == "params" else task.fields[name] for name in _FIELDS),
        )
        for task in tasks
    ]
    execute_values(cur, _INSERT, rows, page_size=len(rows))
