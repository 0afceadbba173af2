"""The job types of a list of tasks: what their runs were like lately, what runs and waits, and the last runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.tasks.job_rates import NAMES, RATES, begins, rates_of
from app.tasks.last_runs import last_runs
from app.tasks.list_filter import SCAN_TASKS
from app.tasks.task_types import task_types
from app.tasks.whose import OWNED, Whose

LAST_RUNS = 16  # of each job type, as many as a row has room for
LOOKED_AT = 500  # tasks of a job type, for its last runs among those that wait

# The lower bound of a rate of failures (Wilson, 95 of 100): one of one is less certain than half of a thousand.
# Rounded, for it is part of a cursor.
_CERTAIN = """round(((coalesce({failed}, 0) + 1.9208 - 1.96 * sqrt(0.9604 +
        coalesce({failed} * {succeeded} / nullif({failed} + {succeeded}, 0)::float8, 0)))
    / (coalesce({failed} + {succeeded}, 0) + 3.8416))::numeric, 6)"""
_LATELY, _DAY, _WEEK = (
    _CERTAIN.format(failed=f"{of}_failure", succeeded=f"{of}_success") for of in ("lately", "day", "week")
)
_KEY = "day_score", "week_score", "idle", "job_type"
_PAGE = f"""{RATES}, jobs AS (
        SELECT job_type, -greatest({_LATELY}, {_DAY}) AS day_score, -{_WEEK} AS week_score,
            (coalesce(week_success + week_failure + week_revoked, 0) = 0)::int AS idle, {", ".join(NAMES)}
        FROM rates FULL JOIN unnest(%(names)s::text[]) AS known (job_type) USING (job_type))
    SELECT * FROM jobs WHERE strpos(lower(job_type), %(q)s) > 0 AND (%(first)s OR
        ({", ".join(_KEY)}) > (%(day_score)s::numeric, %(week_score)s::numeric, %(idle)s::int, %(job_type)s))
    ORDER BY {", ".join(_KEY)} LIMIT %(more)s"""
PAGE = {of: _PAGE.format(owned=owned) for of, owned in OWNED.items()}
_OPEN = """SELECT job_type, status, count(*) FROM (
        SELECT job_type, status FROM tasks WHERE {owned} AND finished_at IS NULL {newest} LIMIT %(most)s) AS open
    GROUP BY job_type, status"""
OPEN = {
    of: _OPEN.format(owned=owned, newest="" if of == "everyone" else "ORDER BY created_at DESC")
    for of, owned in OWNED.items()
}


class JobPage(NamedTuple):
    """``next``: where to go on; ``complete``: whether all open tasks were counted."""

    jobs: list[dict[str, Any]]
    next: tuple[str, ...] | None
    complete: bool


def list_jobs(
    cur: Cursor,
    whose: Whose,
    declared: Collection[str],
    q: str,
    now: datetime,
    after: Sequence[str] | None,
    limit: int,
) -> JobPage:
    """Returns the job types whose name contains the text ``q``: those of runs, and those that are ``declared``. What
    needs a look comes first: by the rate of failures of the last day, or of this hour and the one before where that is
    higher, then of the week, as far as it is certain from so many runs; then by name, those without a run in the week
    last."""
    ((of, value),) = whose.items()
    names = sorted({*declared, *task_types(cur, whose)})
    given = {"whose": value, "names": names, "q": q.lower(), "first": after is None, "more": limit + 1}
    key = dict(zip(_KEY, after or ("0", "0", "0", ""), strict=True))
    cur.execute(PAGE[of], given | key | begins(now))
    rows = cur.fetchall()
    open_tasks, complete = open_counts(cur, whose)
    runs = last_runs(cur, whose, [row[0] for row in rows[:limit]], LAST_RUNS, LOOKED_AT)
    jobs = [
        {"job_type": name, "open": open_tasks[name], "runs": runs[name]} | rates_of(row)
        for name, _, _, _, *row in rows[:limit]
    ]
    name, *scores = rows[min(limit, len(rows)) - 1][:4] if rows else ("",)
    return JobPage(jobs, (*map(str, scores), name) if len(rows) > limit else None, complete)


def open_counts(cur: Cursor, whose: Whose) -> tuple[dict[str, dict[str, int]], bool]:
    """Returns how many tasks that have not ended have which status, by job type; and whether these are all: the newest
    ``SCAN_TASKS`` are counted."""
    ((of, value),) = whose.items()
    found = defaultdict[str, dict[str, int]](dict)
    cur.execute(OPEN[of], {"whose": value, "most": SCAN_TASKS + 1})
    for job_type, status, number in cur:
        found[job_type][status] = number
    return found, sum(sum(each.values()) for each in found.values()) <= SCAN_TASKS
