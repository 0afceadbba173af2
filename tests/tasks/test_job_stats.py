"""The statistics of a job type: sums that a trigger adds to when a run ends, whoever ends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.tasks import job_sums, run_sums
from app.tasks.job_stats import RUNS, job_stats
from app.tasks.last_runs import last_runs
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks

JOB = "thumbnails"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def error(type: str = "ValueError", function: str = "scale", message: str = "no width") -> dict[str, Any]:
    source = {"file": "shop/jobs.py", "line": 7, "function": function, "first_line": 7, "lines": ["x"]}
    return {"type": type, "message": message, "traceback": None, "source": source}


def run(tasks: Tasks, seconds: float, status: str = "SUCCESS", hours_ago: float = 0, **more: Any) -> str:
    """Stores a run that took so long and ended so many hours ago."""
    ends = {name: more.pop(name) for name in ("error",) if name in more}
    task_id = tasks.create(job_type=JOB, **more)
    assert tasks.claim(task_id)
    sql(
        tasks.database,
        "UPDATE tasks SET started_at = at - %s * interval '1 s', attempt_started_at = at - %s * interval '1 s' "
        "FROM (SELECT now() - %s * interval '1 h' AS at) AS moment WHERE id = %s",
        *(seconds, seconds, hours_ago, task_id),
    )
    at = sql(tasks.database, "SELECT to_char(now() AT TIME ZONE 'UTC' - %s * interval '1 h', "
             "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", hours_ago)[0][0]  # fmt: skip
    tasks.end(task_id, status, at=at, **ends)
    return task_id


@pytest.fixture
def connect(tasks: Tasks) -> Iterator[PersistentConnection]:
    with closing(PersistentConnection(tasks.database)) as connect:
        yield connect


def of(
    connect: PersistentConnection, whose: dict[str, str], since: datetime = LONG_AGO, hourly: bool = True
) -> dict[str, Any]:
    with connect() as conn, conn.cursor() as cur:
        return job_stats(cur, JOB, whose, since, datetime.now(UTC), hourly)


def test_numbers_durations_and_the_rate_of_failures(tasks: Tasks, connect: PersistentConnection) -> None:
    for seconds in (10, 20, 30, 40, 1_000):
        run(tasks, seconds)
    run(tasks, 1, "FAILURE", error=error())
    run(tasks, 1, "REVOKED")

    found = of(connect, {"user_id": tasks.user_id})

    assert found["counts"] == {"SUCCESS": 5, "FAILURE": 1, "REVOKED": 1}
    assert found["failure_rate"] == pytest.approx(1 / 6)
    assert found["duration"]["p50"] == pytest.approx(30, rel=0.03)
    assert found["duration"]["p95"] == pytest.approx(1_000, rel=0.03)


def test_a_run_that_never_began_is_counted_and_not_measured(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    task_id = tasks.create(job_type=JOB)
    tasks.cancel(task_id)

    found = of(connect, {"user_id": tasks.user_id})

    assert found["counts"] == {"SUCCESS": 0, "FAILURE": 0, "REVOKED": 1}
    assert (found["failure_rate"], found["duration"]) == (None, {"p50": None, "p95": None})


def test_each_hour_has_its_numbers_and_what_ended_before_has_none(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    for hours_ago in (1, 1, 2, 30):
        run(tasks, 1, hours_ago=hours_ago)
    since = (datetime.now(UTC) - timedelta(hours=24)).replace(minute=0, second=0, microsecond=0)

    found = of(connect, {"user_id": tasks.user_id}, since)

    assert [each["counts"] for each in found["times"]] == [{"SUCCESS": 1}, {"SUCCESS": 2}]
    first, second = (datetime.fromisoformat(each["at"]) for each in found["times"])
    assert second - first == timedelta(hours=1)
    assert (second.minute, second.second) == (0, 0)
    assert found["counts"]["SUCCESS"] == 3
    assert len(found["runs"]) == 4, "the newest runs, whenever they were"


def test_a_long_time_is_told_by_days(tasks: Tasks, connect: PersistentConnection) -> None:
    for hours_ago in (24 * 40, 24 * 40, 24 * 20):
        run(tasks, 1, hours_ago=hours_ago)

    found = of(connect, {"user_id": tasks.user_id}, hourly=False)

    assert [each["counts"] for each in found["times"]] == [{"SUCCESS": 2}, {"SUCCESS": 1}]
    assert {each["at"][10:] for each in found["times"]} == {"T00:00:00.000000Z"}


def test_errors_are_counted_by_type_and_place_with_their_last_run(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    run(tasks, 1, "FAILURE", hours_ago=1, error=error(message="last"))
    run(tasks, 1, "FAILURE", hours_ago=3, error=error(message="first"))
    last = run(tasks, 1, "FAILURE", hours_ago=0.5, error=error(message="newest"))
    run(tasks, 1, "FAILURE", error=error(function="crop"))
    lost = run(tasks, 1, "FAILURE", error={"type": "WorkerLost", "message": "x" * 999, "traceback": None})

    first, *others = of(connect, {"user_id": tasks.user_id})["errors"]

    assert (first["type"], first["place"], first["number"]) == ("ValueError", "shop/jobs.py:scale", 3)
    assert (first["task_id"], first["message"]) == (last, "newest")
    assert [(each["type"], each["place"], each["number"]) for each in others] == [
        ("WorkerLost", None, 1),
        ("ValueError", "shop/jobs.py:crop", 1),
    ]
    assert (others[0]["task_id"], others[0]["message"]) == (lost, "x" * 300)


def test_an_error_outlives_the_run_that_had_it(tasks: Tasks, connect: PersistentConnection) -> None:
    task_id = run(tasks, 1, "FAILURE", error=error())
    sql(tasks.database, "DELETE FROM tasks WHERE id = %s", task_id)

    found = of(connect, {"user_id": tasks.user_id})

    assert found["counts"]["FAILURE"] == 1
    ((first),) = found["errors"]
    assert (first["type"], first["task_id"], first["message"]) == ("ValueError", None, None)


def test_a_tenant_has_the_runs_of_its_users_and_a_user_only_its_own(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    tenant = uuid.uuid4().hex
    one, other = tasks.add_user(tenant), tasks.add_user(tenant)
    run(tasks, 1, user_id=one)
    run(tasks, 1, "FAILURE", user_id=other, error=error())
    run(tasks, 1)

    assert of(connect, {"tenant": tenant})["counts"] == {"SUCCESS": 1, "FAILURE": 1, "REVOKED": 0}
    assert len(of(connect, {"tenant": tenant})["runs"]) == 2
    assert of(connect, {"user_id": one})["counts"] == {"SUCCESS": 1, "FAILURE": 0, "REVOKED": 0}
    assert of(connect, {"user_id": one})["errors"] == []


def rows_of(tasks: Tasks) -> tuple[int, ...]:
    return tuple(
        sql(tasks.database, f"SELECT count(*) FROM {table} WHERE user_id = %s", tasks.user_id)[0][0]
        for table in ("run_sums", "error_sums")
    )


def test_sums_are_forgotten_after_their_time(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_sums, "BATCH_ROWS", 2)
    for days in (401, 402, 403, 399):
        run(tasks, 1, "FAILURE", hours_ago=24 * days, error=error())

    run_sums.forget(connect)

    assert rows_of(tasks) == (1, 1)


def test_summing_up_changes_no_answer_and_leaves_few_rows(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    for n in range(30):
        run(tasks, 10, "FAILURE" if n % 3 else "SUCCESS", hours_ago=5, error=error() if n % 3 else None)
    before = of(connect, {"user_id": tasks.user_id})

    assert run_sums.sum_up(connect) == 3

    after = of(connect, {"user_id": tasks.user_id})
    assert after == before
    assert rows_of(tasks) == (2, 1)
    assert run_sums.sum_up(connect) == 0, "what was summed up is not touched again"
    last = run(tasks, 10, "FAILURE", hours_ago=5, error=error(message="later"))
    run_sums.sum_up(connect)
    (found,) = of(connect, {"user_id": tasks.user_id})["errors"]
    assert (found["number"], found["task_id"]) == (21, last)


def days_of(tasks: Tasks) -> list[tuple[int, bool, int]]:
    """The age of each sum in days, whether it is of a whole day, and its number, the newest first."""
    return sql(
        tasks.database,
        "SELECT (date_trunc('day', now(), 'UTC')::date - (hour AT TIME ZONE 'UTC')::date), of_day, number::int "
        "FROM run_sums WHERE user_id = %s ORDER BY hour DESC, number",
        tasks.user_id,
    )


def test_the_hours_of_a_day_are_one_sum_when_they_are_old_and_what_comes_late_joins_it(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    def at(days: int, hour: int) -> float:
        """How many hours ago that hour of that day (UTC) was, about."""
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        moment = midnight - timedelta(days=days) + timedelta(hours=hour, minutes=30)
        return (datetime.now(UTC) - moment) / timedelta(hours=1)

    for days, hour in ((8, 0), (8, 23), (9, 0), (9, 0), (9, 12), (9, 23), (10, 1), (11, 5)):
        run(tasks, 10, "FAILURE", hours_ago=at(days, hour), error=error())
    before = of(connect, {"user_id": tasks.user_id}, hourly=False)

    run_sums.sum_up(connect)

    assert of(connect, {"user_id": tasks.user_id}, hourly=False) == before
    assert days_of(tasks) == [(8, False, 1), (8, False, 1), (9, True, 4), (10, True, 1), (11, True, 1)]
    run(tasks, 10, "FAILURE", hours_ago=at(9, 0), error=error())
    run(tasks, 10, "FAILURE", hours_ago=at(9, 7), error=error())
    run_sums.sum_up(connect)
    assert days_of(tasks)[2:] == [(9, True, 6), (10, True, 1), (11, True, 1)]
    assert run_sums.sum_up(connect) == 0, "what was summed up is not touched again"
    found = of(connect, {"user_id": tasks.user_id}, hourly=False)
    assert [each["counts"]["FAILURE"] for each in found["times"]] == [1, 1, 6, 2]
    assert [each["number"] for each in found["errors"]] == [10]


def test_runs_are_the_newest_that_have_begun_as_many_as_the_page_has_room_for(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    ids = [tasks.create(job_type=JOB) for _ in range(RUNS + 1)]
    for task_id in ids:
        assert tasks.claim(task_id)
    for _ in range(RUNS):
        tasks.create(job_type=JOB)

    found = of(connect, {"user_id": tasks.user_id})

    assert [each["task_id"] for each in found["runs"]] == ids[:0:-1]
    assert (found["open"], found["complete"]) == ({"PENDING": RUNS, "STARTED": RUNS + 1}, True)


def test_where_more_wait_than_are_looked_at_there_are_the_last_successes(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    tenant = tasks.user_id = tasks.add_user("acme")
    done = [run(tasks, 1, hours_ago=hours) for hours in (9, 5)]
    begun = tasks.create(job_type=JOB)
    assert tasks.claim(begun)
    for _ in range(3):
        tasks.create(job_type=JOB)

    for whose in ({"user_id": tenant}, {"tenant": "acme"}):
        with connect() as conn, conn.cursor() as cur:
            few = last_runs(cur, whose, [JOB, "another"], number=3, looked_at=4)
        assert [each["task_id"] for each in few[JOB]] == [begun, *reversed(done)]
        assert few["another"] == []


def test_the_last_day_and_week_stand_beside_the_time_before(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    for hours, status in (
        *((1, "SUCCESS"), (2, "FAILURE"), (2, "REVOKED")),
        *((30, "SUCCESS"), (40, "SUCCESS"), (40, "FAILURE")),
        (100, "SUCCESS"),
        *((200, "FAILURE"), (300, "SUCCESS"), (300, "SUCCESS"), (300, "SUCCESS")),
        (400, "FAILURE"),
    ):
        run(tasks, 1, status, hours_ago=hours, **({"error": error()} if status == "FAILURE" else {}))

    found = of(connect, {"user_id": tasks.user_id}, hourly=False)
    job_sums.sum_up(connect)
    assert of(connect, {"user_id": tasks.user_id}, hourly=False) == found, "by hours, also of days of before"

    day, week = found["day"], found["week"]
    assert day["counts"] == {"SUCCESS": 1, "FAILURE": 1, "REVOKED": 1}
    assert (day["failure_rate"], day["before"]["failure_rate"]) == (0.5, pytest.approx(1 / 3))
    assert week["counts"] == {"SUCCESS": 4, "FAILURE": 2, "REVOKED": 1}
    assert week["before"] == {"counts": {"SUCCESS": 3, "FAILURE": 1, "REVOKED": 0}, "failure_rate": 0.25}


def test_a_job_that_never_ran_has_no_rates(tasks: Tasks, connect: PersistentConnection) -> None:
    found = of(connect, {"user_id": tasks.user_id})

    nothing = {"counts": {"SUCCESS": 0, "FAILURE": 0, "REVOKED": 0}, "failure_rate": None}
    assert found["day"] == found["week"] == nothing | {"before": nothing}
    assert found["open"] == {} and found["phases"] == []
