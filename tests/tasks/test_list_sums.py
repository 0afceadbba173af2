"""The sums that lists are counted by, which triggers keep: whoever changes a task, they are what the rows say."""

from __future__ import annotations

from datetime import UTC, datetime

from app.tasks import run_sums
from app.tasks.list_counts import histogram, status_counts
from app.tasks.list_filter import Listing
from app.tasks.removal import remove_tasks
from tests.stream.helpers import sql
from tests.support.plans import Explaining
from tests.tasks.helpers import Tasks

ROWS = """SELECT to_char(date_trunc('hour', created_at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        status, count(*)
    FROM tasks WHERE tenant = 'acme' AND (parent_id IS NULL OR NOT %s) GROUP BY 1, 2"""
FILL = """WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 10000) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, finished_at,
    status)
SELECT made.id, kept.id, %s::uuid, 'acme', 'job', 'Task', 'execute_command', '{}', 'manual',
    timestamptz '2020-01-01 00:00Z' - n * interval '1 s', timestamptz '2020-01-01 00:00Z',
    CASE WHEN n %% 4 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END
FROM made JOIN kept ON kept.name = 'task:' || made.id RETURNING 1"""


def of_sums(tasks: Tasks, top: bool = False) -> dict[tuple[str, str], int]:
    with tasks.connect() as conn, conn.cursor() as cur:
        times, complete = histogram(cur, Listing(tenant="acme", top=top), "hour")
    assert complete
    return {(at, status): number for at, counts in times.items() for status, number in counts.items()}


def of_rows(tasks: Tasks, top: bool = False) -> dict[tuple[str, str], int]:
    return {(at, status): number for at, status, number in sql(tasks.database, ROWS, top)}


def agree(tasks: Tasks) -> None:
    for top in (False, True):
        assert of_sums(tasks, top) == of_rows(tasks, top)


def test_the_sums_are_those_of_the_rows_whatever_becomes_of_a_task(tasks: Tasks) -> None:
    tasks.user_id = tasks.add_user("acme")
    made = [tasks.create() for _ in range(8)]
    step = tasks.create()
    agree(tasks)
    for task_id in (*made[:5], step):
        tasks.claim(task_id)
    tasks.end(made[1])
    tasks.end(made[2], "FAILURE", error={"type": "ValueError", "message": "x", "traceback": None})
    tasks.end(step)
    sql(tasks.database, "UPDATE tasks SET parent_id = %s WHERE id = %s RETURNING 1", made[0], step)
    tasks.cancel(made[6])
    agree(tasks)
    assert of_sums(tasks, top=True) != of_sums(tasks)
    run_sums.sum_up(tasks.connect)
    agree(tasks)

    change = "UPDATE tasks SET {} WHERE id = %s RETURNING 1"
    for changed, task_id in (
        ("created_at = created_at - interval '3 h'", made[1]),
        ("parent_id = NULL", step),
        ("job_type = 'other'", made[2]),
        ("tenant = 'elsewhere'", made[2]),
    ):
        sql(tasks.database, change.format(changed), task_id)
        agree(tasks)
    sql(tasks.database, change.format("finished_at = now() - interval '9 days'"), made[1])
    assert remove_tasks(tasks.connect, days=3) == 1
    agree(tasks)
    run_sums.sum_up(tasks.connect)
    agree(tasks)


def test_summing_up_leaves_a_row_for_each_hour_and_status_and_none_of_what_was_removed(tasks: Tasks) -> None:
    sql(tasks.database, FILL, tasks.user_id)
    before = of_sums(tasks)

    run_sums.sum_up(tasks.connect)

    assert of_sums(tasks) == before and sum(before.values()) == 10_000
    ((rows,),) = sql(tasks.database, "SELECT count(*) FROM list_sums")
    assert rows == 6, "three hours, two statuses"
    sql(tasks.database, "DELETE FROM tasks RETURNING 1")
    assert of_sums(tasks) == {}
    run_sums.sum_up(tasks.connect)
    assert sql(tasks.database, "SELECT count(*) FROM list_sums") == [(0,)]
    run_sums.forget(tasks.connect)


def test_counts_and_histograms_look_at_no_task_that_has_ended(tasks: Tasks) -> None:
    tasks.user_id = tasks.add_user("acme")
    sql(tasks.database, FILL, tasks.user_id)
    open_ = [tasks.create(job_type="job") for _ in range(3)]
    run_sums.sum_up(tasks.connect)
    sql(tasks.database, "ANALYZE")
    wanted = Listing(tenant="acme", job_type="job", since=datetime(2019, 12, 31, 22, tzinfo=UTC), top=True)
    with tasks.connect() as conn, conn.cursor() as cur:
        explaining = Explaining(cur, [])
        counts, _, complete = status_counts(explaining, wanted, "nobody's")  # type: ignore[arg-type]
        times, _ = histogram(explaining, wanted, "day")  # type: ignore[arg-type]

    assert complete and counts == {"PENDING": len(open_), "SUCCESS": 5_400, "FAILURE": 1_800}
    assert times["2019-12-31T00:00:00.000000Z"] == {"SUCCESS": 5_400, "FAILURE": 1_800}
    assert explaining.visited <= 2 * len(open_)
