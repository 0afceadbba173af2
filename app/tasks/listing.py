"""Lists of tasks, by key: a page deep in the past costs what the first does.

A page is a piece of an index, also of one status or one job type. A filter that has no index looks at so many tasks at
a time, and the cursor says where to go on. Neither parameters nor results are in a list, and a page has an end in
bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.db.sql import TIME_TEXT
from app.stream.pages import PAGE_BYTES
from app.tasks.projection import ROW_COLUMNS, row_of

SCAN_TASKS = 5_000  # what one request may look at, in about 10 ms, before it says where to go on
TRIGGERS = ("manual", "scheduled", "retry", "subtask")


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

    def pieces(self) -> tuple[list[str], list[Any]]:
        """The conditions that one index answers, and their values."""
        assert self.user_id or self.tenant, "a list is somebody's"
        return _given(
            ("user_id = %s", self.user_id),
            ("tenant = %s", self.tenant),
            ("parent_id = %s", self.parent_id),
            ("created_at >= %s", self.since),
            ("created_at < %s", self.until),
            ("status = %s", self.status),
            *([] if self.status else self._types()),
        )

    def filters(self) -> tuple[list[str], list[Any]]:
        """Those for which each task has to be looked at."""
        conditions, values = _given(
            *(self._types() if self.status else []),
            ("%s IN (job_type, trigger)", self.kind if self.kind in TRIGGERS else None),
        )
        if self.q is not None:
            # By position and not by LIKE, to which % and _ would mean something.
            conditions.append(
                """(position(lower(%s) in lower(title)) > 0 OR position(lower(%s) in lower(job_type)) > 0
                    OR starts_with(tasks.id::text, lower(%s)))"""
            )
            values += [self.q] * 3
        return conditions, values

    def _types(self) -> list[tuple[str, str | None]]:
        return [
            ("job_type = %s", self.job_type),
            ("job_type = %s", None if self.kind in TRIGGERS else self.kind),
        ]

    @property
    def whole(self) -> bool:
        """All that a user or a tenant has: it is counted as it changes."""
        given = (self.parent_id, self.since, self.until, self.status, self.job_type, self.kind, self.q)
        return not any(value is not None for value in given)


class Page(NamedTuple):
    """``next``: where to go on (created_at, id); a page that is not the last may be short, even empty."""

    tasks: list[dict[str, Any]]
    next: tuple[str, str] | None


def list_tasks(cur: Cursor, wanted: Listing, before: Sequence[str] | None, limit: int) -> Page:
    """The newest tasks first, older than ``before`` (created_at, task_id).

    By ``tasks.created_at``: the bare name would be the text that it is shown as, of which there is no index.
    """
    window, values = _window(wanted, before)
    filters, given = wanted.filters()
    # Sizes are added up before anything is sent: a traceback has up to 16,000 characters.
    cur.execute(
        f"""SELECT found, attempt, {ROW_COLUMNS} FROM (
                SELECT listed.*, count(*) OVER () AS found,
                    sum(coalesce(octet_length(error::text), 0)) OVER (
                        ORDER BY created_at DESC, id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS sent
                FROM (SELECT tasks.* FROM ({window}) AS tasks WHERE {" AND ".join(filters) or "true"}
                    ORDER BY created_at DESC, id DESC LIMIT %s) AS listed) AS tasks
            JOIN streams ON streams.id = tasks.stream_id
            WHERE coalesce(sent, 0) < %s ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT %s""",
        (*values, SCAN_TASKS, *given, limit + 1, PAGE_BYTES, limit),
    )
    rows = cur.fetchall()
    tasks = [row_of(attempt, row) for _, attempt, *row in rows]
    if rows and rows[0][0] > len(rows):
        return Page(tasks, (tasks[-1]["created_at"], tasks[-1]["task_id"]))
    return Page(tasks, _end_of(cur, window, values) if filters else None)


def _window(wanted: Listing, before: Sequence[str] | None) -> tuple[str, list[Any]]:
    """The piece of an index that one request looks at; the last value, how much that is, is missing."""
    conditions, values = wanted.pieces()
    if before:
        conditions.append("(created_at, tasks.id) < (%s::timestamptz, %s::uuid)")
        values.extend(before)
    where = " AND ".join(conditions)
    return f"SELECT * FROM tasks WHERE {where} ORDER BY created_at DESC, id DESC LIMIT %s", values


def _end_of(cur: Cursor, window: str, values: Sequence[Any]) -> tuple[str, str] | None:
    """The last task that was looked at, unless that was the last of all. Read from the index alone."""
    cur.execute(
        f"""SELECT {TIME_TEXT.format("created_at")}, id::text FROM (
                {window.replace("SELECT *", "SELECT created_at, id", 1)} OFFSET %s) AS last""",
        (*values, 2, SCAN_TASKS - 1),
    )
    rows = cur.fetchall()
    return tuple(rows[0]) if len(rows) > 1 else None


def status_counts(cur: Cursor, wanted: Listing, stream: str) -> tuple[dict[str, int], int, bool]:
    """How many tasks have which status, the last sequence of ``stream`` as of the same moment (one statement sees one
    state of the database), and whether these are all: with a filter only the newest ``SCAN_TASKS`` are counted."""
    if wanted.whole:
        whose, values = _given(("user_id = %s", wanted.user_id), ("tenant = %s", wanted.tenant))
        counted = f"""SELECT status, sum(number)::bigint AS number, 0 AS seen FROM task_counts
            WHERE {" AND ".join(whose)} GROUP BY status"""
    else:
        window, values = _window(wanted, None)
        filters, given = wanted.filters()
        counted = f"""SELECT status, count(*) FILTER (WHERE {" AND ".join(filters) or "true"}) AS number,
            count(*) AS seen FROM ({window}) AS tasks GROUP BY status"""
        # In the order of the text: the filters stand before the window.
        values = [*given, *values, SCAN_TASKS + 1]
    cur.execute(
        f"""SELECT coalesce((SELECT last_seq FROM streams WHERE name = %s), 0),
               json_object_agg(status, number) FILTER (WHERE number > 0), coalesce(sum(seen), 0)
            FROM ({counted}) AS counted""",
        (stream, *values),
    )
    sequence, counts, seen = cur.fetchall()[0]
    return counts or {}, sequence, seen <= SCAN_TASKS


def _given(*conditions: tuple[str, Any]) -> tuple[list[str], list[Any]]:
    """Those that have a value."""
    given = [(condition, value) for condition, value in conditions if value is not None]
    return [condition for condition, _ in given], [value for _, value in given]


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
