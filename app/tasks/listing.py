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
    ``until`` bound the creation; ``q`` is a text that title or job type contain, or that the id begins with."""

    user_id: str | None = None
    tenant: str | None = None
    status: str | None = None
    job_type: str | None = None
    parent_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None

    def where(self) -> tuple[list[str], list[Any]]:
        """The conditions on ``tasks``, and their values."""
        assert self.user_id or self.tenant, "a list is somebody's"
        given: list[tuple[str, Any]] = [
            ("user_id = %s", self.user_id),
            ("tenant = %s", self.tenant),
            ("status = %s", self.status),
            ("job_type = %s", self.job_type),
            ("parent_id = %s", self.parent_id),
            ("%s IN (job_type, trigger)", self.kind),
            ("created_at >= %s", self.since),
            ("created_at < %s", self.until),
        ]
        conditions = [condition for condition, value in given if value is not None]
        values = [value for _, value in given if value is not None]
        if self.q is not None:
            # By position and not by LIKE, to which % and _ would mean something.
            conditions.append(
                """(position(lower(%s) in lower(title)) > 0 OR position(lower(%s) in lower(job_type)) > 0
                    OR starts_with(tasks.id::text, lower(%s)))"""
            )
            values += [self.q] * 3
        return conditions, values


def list_tasks(
    cur: Cursor, wanted: Listing, before: Sequence[str] | None, limit: int
) -> list[dict[str, Any]]:
    """The newest tasks first, older than ``before`` (created_at, task_id).

    By ``tasks.created_at``: the bare name would be the text that it is shown as, of which there is no index.
    """
    conditions, values = wanted.where()
    if before:
        conditions.append("(created_at, tasks.id) < (%s::timestamptz, %s::uuid)")
        values.extend(before)
    cur.execute(
        f"""SELECT streams.attempt, {TASK_COLUMNS} FROM tasks JOIN streams ON streams.id = tasks.stream_id
            WHERE {" AND ".join(conditions)} ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT %s""",
        (*values, limit),
    )
    return [task_of(attempt, row) for attempt, *row in cur.fetchall()]


def status_counts(cur: Cursor, wanted: Listing, stream: str) -> tuple[dict[str, int], int]:
    """How many tasks have which status, and the last sequence of ``stream`` as of the same moment: one statement sees
    one state of the database."""
    conditions, values = wanted.where()
    cur.execute(
        f"""SELECT coalesce((SELECT last_seq FROM streams WHERE name = %s), 0),
               (SELECT json_object_agg(status, number) FROM (SELECT status, count(*) AS number FROM tasks
                   WHERE {" AND ".join(conditions)} GROUP BY status) AS counted)""",
        (stream, *values),
    )
    sequence, counts = cur.fetchall()[0]
    return counts or {}, sequence


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
