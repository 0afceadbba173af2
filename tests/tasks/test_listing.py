from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.stream.event import user_stream
from app.tasks.listing import Listing, list_tasks, status_counts
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks

NOWHERE = "00000000-0000-4000-8000-000000000009"
# Every fourth failed, every thousandth has a title of its own; two each were made at the same moment, in ten tenants.
FILL = """
WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 10000) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status)
SELECT made.id, kept.id, %s::uuid, 'tenant ' || n / 2 %% 10, 'emit_load',
    CASE WHEN n %% 1000 = 0 THEN 'Report ' || n ELSE 'Task' END,
    'execute_command', '{}', 'manual', timestamptz '2020-01-01 00:00Z' - n / 2 * interval '1 s',
    CASE WHEN n %% 4 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END
FROM made JOIN kept ON kept.name = 'task:' || made.id RETURNING 1"""


def titles(tasks: Tasks, limit: int, **wanted: str) -> list[str]:
    """Page by page, to the end."""
    found: list[str] = []
    before: Sequence[str] | None = None
    while True:
        with tasks.connect() as connection, connection.cursor() as cur:
            page = list_tasks(cur, Listing(user_id=tasks.user_id, **wanted), before, limit)
        if not page:
            return found
        found += [task["title"] for task in page]
        before = (page[-1]["created_at"], page[-1]["task_id"])


def test_a_rare_text_is_found_among_ten_thousand_tasks(tasks: Tasks) -> None:
    sql(tasks.database, FILL, tasks.user_id)

    assert titles(tasks, 3, q="report") == [f"Report {n}" for n in range(1_000, 10_001, 1_000)]
    assert titles(tasks, 3, q="REPORT", status="SUCCESS") == []
    assert titles(tasks, 3, q="Report 7") == ["Report 7000"]
    assert len(titles(tasks, 201)) == 10_000


@pytest.mark.parametrize(
    ("wanted", "index"), [("user_id", "tasks_by_user"), ("tenant", "tasks_by_tenant")], ids=str
)
def test_a_page_deep_in_the_past_is_read_from_an_index_and_not_sorted(
    tasks: Tasks, wanted: str, index: str
) -> None:
    """Of so many tasks, counted by ANALYZE: of a few Postgres is free to read all."""
    sql(tasks.database, FILL, tasks.user_id)
    sql(tasks.database, "ANALYZE tasks, streams")
    whose = Listing(**{wanted: tasks.user_id if wanted == "user_id" else "tenant 7"})

    with tasks.connect() as connection, connection.cursor() as cur:
        page = list_tasks(cur, whose, ("2019-12-31T23:00:00Z", NOWHERE), 3)
        cur.execute(b"EXPLAIN " + cur.query)
        plan = "\n".join(line for (line,) in cur.fetchall())

    assert len(page) == 3
    assert index in plan and "Sort" not in plan, plan


def test_counts_stand_at_a_sequence_of_the_stream(tasks: Tasks) -> None:
    task_id = tasks.started()
    with tasks.connect() as connection, connection.cursor() as cur:
        wanted, stream = Listing(user_id=tasks.user_id), user_stream(tasks.user_id)
        running = status_counts(cur, wanted, stream)
        ended = tasks.end(task_id).events
        after = status_counts(cur, wanted, stream)
        nothing = status_counts(cur, Listing(user_id=tasks.user_id, q="nowhere"), "user:of nobody")

    assert running[0] == {"STARTED": 1}
    assert after == ({"SUCCESS": 1}, max(event.sequence for event in ended if event.stream == stream))
    assert running[1] < after[1]
    assert nothing == ({}, 0)
