"""The daily budget of a user's tasks, whose counting adds no cost to an event."""

from __future__ import annotations

import pytest

from app.errors import TooMany
from app.stream.event import task_stream
from app.tasks import budget, sums
from tests.stream.helpers import line, sql
from tests.tasks.helpers import Tasks


def stored(tasks: Tasks) -> int:
    """Returns the bytes that a check counts."""
    with tasks.connect() as conn, conn.cursor() as cur, pytest.raises(TooMany) as refused:
        budget.check(cur, tasks.user_id, 1)
    return int(refused.value.detail.split(": ")[1].split(" of ")[0].replace(",", ""))


def written(tasks: Tasks, task_id: str) -> int:
    """Returns the bytes of the task's events in Postgres."""
    return int(
        sql(
            tasks.database,
            """SELECT sum(octet_length(payload)) FROM events
               JOIN streams ON streams.id = stream_id WHERE name = %s""",
            task_stream(task_id),
        )[0][0]
    )


def test_parameters_count_at_the_start_events_while_it_runs_and_all_when_it_has_ended(tasks: Tasks) -> None:
    task_id = tasks.create(params={"text": 5_000 * "x"})
    at_start = stored(tasks)
    assert 7_000 < at_start < 7_100, "its parameters and its rows"

    assert tasks.claim(task_id)
    tasks.append([line(task_stream(task_id), 1_000 * "ü", attempt=1) for _ in range(50)])
    assert stored(tasks) == at_start + written(tasks, task_id) > at_start + 100_000

    tasks.end(task_id, result={"text": 3_000 * "y"})
    assert stored(tasks) == at_start + written(tasks, task_id)


def test_parameters_with_secrets_count_beside_those_that_readers_see(tasks: Tasks) -> None:
    tasks.create(params={"password": "[redacted]"}, secret_params={"password": 5_000 * "x"})

    assert 7_000 < stored(tasks) < 7_100


def test_the_budget_is_for_one_user_and_day(tasks: Tasks) -> None:
    tasks.end(tasks.started())
    before = stored(tasks)
    sql(tasks.database, "UPDATE stored_bytes SET day = day - 1")

    with tasks.connect() as conn, conn.cursor() as cur:
        budget.check(cur, tasks.user_id, 1)
    tasks.end(tasks.started())

    assert abs(stored(tasks) - before) < 100
    with tasks.connect() as conn, conn.cursor() as cur:
        budget.check(cur, tasks.user_id, 0)
        budget.check(cur, tasks.user_id, before * 2)


def test_summing_up_keeps_the_total_and_deletes_days_older_than_a_week(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MANY_ROWS", 3)
    for _ in range(3):
        tasks.end(tasks.started())
    before = stored(tasks)
    sql(
        tasks.database, "INSERT INTO stored_bytes (user_id, day, bytes) SELECT id, '2020-01-01', 7 FROM users"
    )

    budget.sum_up(tasks.connect)

    assert sql(tasks.database, "SELECT count(*), sum(bytes)::int FROM stored_bytes") == [(1, before)]
    assert stored(tasks) == before
