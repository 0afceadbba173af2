"""The last runs of job types that have begun: those that wait say nothing of how the runs of a job are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.tasks.list_filter import SCAN_TASKS
from app.tasks.related import RUN_NAMES
from app.tasks.whose import OWNED, Whose

_TASK = "id, title, status, created_at, started_at, finished_at, retry_of, again_of"
_TIMES = (TIME_TEXT.format(f"runs.{name}") for name in ("created_at", "started_at", "finished_at"))
_RUN = f"runs.id::text, title, status, {', '.join(_TIMES)}, retry_of::text, again_of::text"
# Literal, for what is read of each job type is limited. Both are ranges of an index for each.
_EACH = f"""SELECT name, {_RUN} FROM unnest(%(job_types)s::text[]) AS job_types (name), LATERAL ({{runs}}) AS runs
    ORDER BY runs.created_at DESC, runs.id DESC"""
_BEGUN = f"""SELECT {_TASK} FROM (
        SELECT {_TASK} FROM tasks WHERE {{owned}} AND job_type = name
        ORDER BY created_at DESC, id DESC LIMIT %(looked_at)s) AS newest
    WHERE status <> 'PENDING' ORDER BY created_at DESC, id DESC LIMIT %(number)s"""
# The index of a tenant's successes begins with the job type, and has "" for none.
_SUCCEEDED = f"""SELECT {_TASK} FROM tasks WHERE {{owned}} AND job_type = name AND status = 'SUCCESS'
    ORDER BY finished_at DESC LIMIT %(number)s"""
# Of all tasks there is no index by their job type; that by time has this condition.
_OF_ALL = f"""SELECT job_type, {_RUN} FROM (
        SELECT *, row_number() OVER (PARTITION BY job_type ORDER BY created_at DESC, id DESC) AS place
        FROM (SELECT job_type, {_TASK} FROM tasks WHERE stream_id > 0
            ORDER BY created_at DESC, id DESC LIMIT {SCAN_TASKS}) AS newest
        WHERE status <> 'PENDING' AND job_type = ANY(%(job_types)s)) AS runs
    WHERE place <= %(number)s ORDER BY created_at DESC, id DESC"""


def _each(runs: str, tenant: str) -> dict[str, str]:
    owned = {"user_id": OWNED["user_id"], "tenant": tenant}
    return {of: _EACH.format(runs=runs.format(owned=condition)) for of, condition in owned.items()}


BEGUN = _each(_BEGUN, OWNED["tenant"]) | {"everyone": _OF_ALL}
SUCCEEDED = _each(_SUCCEEDED, "coalesce(tenant, '') = %(whose)s")

Runs = dict[str, list[dict[str, Any]]]
"""The runs of each job type, the newest first."""


def last_runs(
    cur: Cursor, whose: Whose, job_types: Sequence[str], number: int, looked_at: int = SCAN_TASKS
) -> Runs:
    """Returns so many of each job type. They are among its newest tasks, so many, of those of all among the newest
    ``SCAN_TASKS``; where fewer have begun, there are the last ones that succeeded too."""
    ((of, value),) = whose.items()
    given = {"whose": value, "number": number, "looked_at": looked_at}
    found: Runs = defaultdict(list)
    cur.execute(BEGUN[of], given | {"job_types": list(job_types)})
    for job_type, *row in cur:
        found[job_type].append(dict(zip(RUN_NAMES, row, strict=True)))
    few = [name for name in job_types if len(found[name]) < number]
    if few and of in SUCCEEDED:
        cur.execute(SUCCEEDED[of], given | {"job_types": few})
        for job_type, *row in cur:
            run = dict(zip(RUN_NAMES, row, strict=True))
            if run not in found[job_type] and len(found[job_type]) < number:
                found[job_type].append(run)
    return found
