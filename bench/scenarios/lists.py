"""Taskroom alone: the cost of each page of a list with half a million tasks, and with the largest parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from app.db.persistent import PersistentConnection
from app.tasks.list_counts import COUNTS
from bench.contest import Contest
from bench.figures import OURS, Figure
from tests.support.system import User

TASKS = 500_000
LARGE = 200  # tasks with the largest parameters and results
LARGE_BYTES = 60_000
CALLS = 50
PAGE_MS, LARGE_MS, LARGE_PAGE = 20, 50, 1_000_000

_FILL = """
WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, %s) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, result, trigger, created_at,
                   started_at, finished_at, status)
SELECT made.id, kept.id, %s::uuid,
       CASE WHEN n %% 1000 = 0 THEN 'rare_job' ELSE 'emit_load' END,
       CASE WHEN n %% 100000 = 0 THEN 'Needle ' || n ELSE 'Task ' || n END, 'execute_command',
       %s, %s, 'manual', now() - n * interval '10 s', now() - n * interval '10 s',
       now() - n * interval '10 s' + interval '5 s', CASE WHEN n %% 500 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END
FROM made JOIN kept ON kept.name = 'task:' || made.id"""

_PAGES = {
    "first page": "tasks",
    "first page of 200": "tasks?limit=200",
    "failures, one in 500": "tasks?status=FAILURE",
    "a job type, one in 1,000": "tasks?job_type=rare_job",
    "a text that five titles have": "tasks?q=needle",
    "running, none": "tasks?status=STARTED",
    "counts by status": "tasks/counts",
    "counts of a job type": "tasks/counts?job_type=rare_job",
    "counts of a text": "tasks/counts?q=needle",
    "history": "jobs/history",
    "history of failures": "jobs/history?status=FAILURE",
}


def lists(contest: Contest) -> list[Figure]:
    """Each page by itself, as the client sees it, over half a million tasks of one user."""
    with contest.ours():
        many, large = contest.stand.users(2)
        for user, count, params in (
            (many, TASKS, "{}"),
            (large, LARGE, f'{{"text": "{"x" * LARGE_BYTES}"}}'),
        ):
            contest.stand.system.sql(_FILL, count, user.id, params, params)
        COUNTS.sum_up(PersistentConnection(contest.stand.system.database_url))
        for table in ("tasks", "streams", "task_counts"):
            contest.stand.system.sql(f"ANALYZE {table}")
        deep = _deep(many)
        pages = {**_PAGES, "a page deep in the past": f"tasks?cursor={deep}"}
        times = {what: _timed(many, path)[0] for what, path in pages.items()}
        slowest, size = _timed(large, "tasks?limit=200")
    name = "lists"
    return [
        *(
            Figure(name, f"{TASKS:,} tasks: {what}, median of {CALLS}", "ms", {OURS: value}, PAGE_MS)
            for what, value in times.items()
        ),
        Figure(
            name, f"{LARGE} tasks of the largest parameters: page, median", "ms", {OURS: slowest}, LARGE_MS
        ),
        Figure(name, f"{LARGE} tasks of the largest parameters: page", "bytes", {OURS: size}, LARGE_PAGE),
    ]


def _deep(user: User) -> str:
    """Returns a cursor near the end, found through the list of failures: the list of all tasks has 2,500 pages."""
    cursor, page = "", _get(user, "tasks?limit=200&status=FAILURE")
    while page["next"]:
        cursor = str(page["next"])
        page = _get(user, f"tasks?limit=200&status=FAILURE&cursor={cursor}")
    return cursor


def _get(user: User, path: str) -> Mapping[str, object]:
    response = user.client.get(f"/api/v2/{path}", headers={"Authorization": f"Bearer {user.token}"})
    assert response.status_code == 200, response.text
    found: Mapping[str, object] = response.json()
    return found


def _timed(user: User, path: str) -> tuple[float, int]:
    """Returns the milliseconds of a request and the bytes of its response."""
    headers, times, size = {"Authorization": f"Bearer {user.token}"}, [], 0
    for _ in range(CALLS):
        began = time.perf_counter()
        response = user.client.get(f"/api/v2/{path}", headers=headers)
        times.append((time.perf_counter() - began) * 1e3)
        assert response.status_code == 200, response.text
        size = len(response.content)
    return float(np.median(times)), size
