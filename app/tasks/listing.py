"""Lists of tasks, by key: a page deep in the past costs what the first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.tasks.projection import TASK_COLUMNS, task_of


@dataclass(frozen=True, slots=True)
class Listing:
    """Of a user or of a tenant: each has its index. ``kind`` matches a job type or a trigger; ``since`` and
    ``until`` bound the creation."""

    user_id: str | None = None
    tenant: str | None = None
    status: str | None = None
    job_type: str | None = None
    parent_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_tasks(
    cur: Cursor, wanted: Listing, before: Sequence[str] | None, limit: int
) -> list[dict[str, Any]]:
    """The newest tasks first, older than ``before`` (created_at, task_id)."""
    assert wanted.user_id or wanted.tenant, "a list is somebody's"
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("user_id = %s", wanted.user_id),
        ("tenant = %s", wanted.tenant),
        ("status = %s", wanted.status),
        ("job_type = %s", wanted.job_type),
        ("parent_id = %s", wanted.parent_id),
        ("%s IN (job_type, trigger)", wanted.kind),
        ("created_at >= %s", wanted.since),
        ("created_at < %s", wanted.until),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if before:
        conditions.append("(created_at, tasks.id) < (%s::timestamptz, %s::uuid)")
        values.extend(before)
    cur.execute(
        f"""SELECT streams.attempt, {TASK_COLUMNS} FROM tasks JOIN streams ON streams.id = tasks.stream_id
            WHERE {" AND ".join(conditions)} ORDER BY created_at DESC, tasks.id DESC LIMIT %s""",
        (*values, limit),
    )
    return [task_of(attempt, row) for attempt, *row in cur.fetchall()]


def phase_counts(cur: Cursor, task_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Sums over each task's phases: {task_id: {phases, processed, errors}}."""
    cur.execute(
        """SELECT task_id::text, count(*), sum(processed_count)::bigint, sum(error_count)::bigint
           FROM phases WHERE task_id = ANY(%s::uuid[]) GROUP BY task_id""",
        (list(task_ids),),
    )
    return {
        task_id: {"phases": phases, "processed": processed, "errors": errors}
        for task_id, phases, processed, errors in cur.fetchall()
    }
