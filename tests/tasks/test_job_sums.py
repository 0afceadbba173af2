"""How the runs of a job ended, and how long their phases took, from sums that a trigger keeps when a run ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.stream.event import draft, now, task_stream
from app.tasks import job_sums, run_sums
from app.tasks.endings import task_error
from app.tasks.job_sums import MOST_PHASES, phase_times
from app.tasks.reported import time_text
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.support.servers import Servers
from tests.tasks.helpers import Tasks

JOB = "thumbnails"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def days_ago(days: int, hour: int = 5) -> datetime:
    return datetime.now(UTC).replace(hour=hour, minute=30) - timedelta(days=days)


def run(
    tasks: Tasks,
    phases: Mapping[str, float | None],
    status: str = "SUCCESS",
    at: datetime | None = None,
    **more: Any,
) -> str:
    """Stores a run whose phases took so many seconds."""
    task_id = tasks.create(job_type=JOB, **more)
    assert tasks.claim(task_id)
    tasks.append(
        [
            draft(
                task_stream(task_id),
                "phase_complete",
                {"timestamp": now(), "phase_id": name, "duration_seconds": seconds},
                attempt=1,
            )
            for name, seconds in phases.items()
        ]
    )
    ends: dict[str, Any] = {"error": task_error("E", "x")} if status == "FAILURE" else {}
    tasks.end(task_id, status, **ends | ({"at": time_text(at)} if at else {}))
    return task_id


def of(
    tasks: Tasks, whose: dict[str, Any] | None = None, since: datetime = LONG_AGO
) -> dict[str, tuple[int, int]]:
    """Returns the number of runs and the whole seconds of the median of each phase, in the order of the answer."""
    with tasks.connect() as conn, conn.cursor() as cur:
        found = phase_times(cur, JOB, whose or {"user_id": tasks.user_id}, since)
    return {each["phase_id"]: (each["runs"], round(each["median_seconds"])) for each in found}


def rows(tasks: Tasks) -> int:
    return int(sql(tasks.database, "SELECT count(*) FROM job_sums WHERE user_id = %s", tasks.user_id)[0][0])


@pytest.fixture
def connect(tasks: Tasks) -> Iterator[PersistentConnection]:
    with closing(PersistentConnection(tasks.database)) as connect:
        yield connect


def test_each_phase_has_its_percentiles_in_the_order_of_the_run(tasks: Tasks) -> None:
    for seconds in (10, 20, 400):
        run(tasks, {"write": 5, "read": seconds})
    run(tasks, {"write": 7, "read": 1_000}, "FAILURE")

    with tasks.connect() as conn, conn.cursor() as cur:
        write, read = phase_times(cur, JOB, {"user_id": tasks.user_id}, LONG_AGO)

    assert (write["phase_id"], write["runs"], read["phase_id"], read["runs"]) == ("write", 3, "read", 3)
    assert write["median_seconds"] == pytest.approx(5, rel=0.02)
    assert read["median_seconds"] == pytest.approx(20, rel=0.02)
    assert read["p95_seconds"] == pytest.approx(400, rel=0.02)


def test_the_phase_that_ends_with_the_run_counts_too(tasks: Tasks) -> None:
    task_id = tasks.create(job_type=JOB)
    assert tasks.claim(task_id)
    tasks.open_phase(task_id, "last")
    began = tasks.state(task_id)["phases"][0]["started_at"]

    tasks.end(task_id, phases=["last"], at=time_text(datetime.fromisoformat(began) + timedelta(seconds=30)))

    assert of(tasks) == {"last": (1, 30)}


def test_the_time_asked_for_changes_the_medians(tasks: Tasks) -> None:
    run(tasks, {"read": 100}, at=days_ago(9))
    run(tasks, {"read": 50}, at=days_ago(5))
    run(tasks, {"read": 50}, at=days_ago(5))
    run(tasks, {"read": 10})

    assert of(tasks, since=days_ago(1)) == {"read": (1, 10)}
    assert of(tasks, since=days_ago(5, hour=22)) == {"read": (3, 50)}, "from the beginning of that day"
    assert of(tasks, since=days_ago(30)) == {"read": (4, 50)}


def test_they_are_of_a_user_of_a_tenant_or_of_all(tasks: Tasks) -> None:
    one, other = tasks.add_user("acme"), tasks.add_user("acme")
    run(tasks, {"read": 10}, user_id=one)
    run(tasks, {"read": 20}, user_id=other)
    run(tasks, {"read": 20})

    assert of(tasks, {"user_id": one}) == {"read": (1, 10)}
    assert of(tasks, {"tenant": "acme"}) == {"read": (2, 10)}
    assert of(tasks, {"everyone": True}) == {"read": (3, 20)}
    assert of(tasks, {"tenant": "other"}) == {}


def test_no_duration_that_is_reported_stops_an_end(tasks: Tasks) -> None:
    run(tasks, {"below": -3, "large": 1e300, "unknown": None})

    assert of(tasks) == {"below": (1, 0), "large": (1, pytest.approx(1e9, rel=0.02))}


def test_summing_up_changes_no_answer_and_leaves_a_row_for_an_hour_then_for_a_day(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    for n in range(30):
        run(tasks, {"read": 10 + n % 7, "write": 3}, at=days_ago(1))
    for hour in (1, 1, 9, 23):
        run(tasks, {"read": 100}, at=days_ago(7, hour))
    before = {"read": (34, 13), "write": (30, 3)}, {"read": (30, 13), "write": (30, 3)}
    assert (of(tasks), of(tasks, since=days_ago(1, hour=0))) == before

    assert job_sums.sum_up(connect) == 5, "four hours, and a day of three"

    assert (of(tasks), of(tasks, since=days_ago(1, hour=0))) == before
    assert rows(tasks) == 4, "an hour each, of which one of the old day has its durations"
    assert job_sums.sum_up(connect) == 0, "what was summed up is not touched again"
    run(tasks, {"read": 100}, at=days_ago(7, 4))
    assert job_sums.sum_up(connect) == 2
    assert (rows(tasks), of(tasks)["read"]) == (5, (35, 13))
    arrays = "SELECT cardinality(phases), cardinality(run_buckets), succeeded FROM job_sums ORDER BY hour"
    assert sql(tasks.database, arrays) == [(1, 1, 2), (0, 0, 1), (0, 0, 1), (0, 0, 1), (8, 1, 30)]


def test_a_job_that_makes_up_its_phases_keeps_the_most_frequent_ones(
    tasks: Tasks, connect: PersistentConnection
) -> None:
    for n in range(3):
        run(tasks, {"zero": 1} | {f"file {n} {m}": 1 for m in range(MOST_PHASES)}, at=days_ago(5))
    assert [len(row) for (row,) in sql(tasks.database, "SELECT phases FROM job_sums")] == [MOST_PHASES] * 3
    assert len(of(tasks)) == MOST_PHASES

    job_sums.sum_up(connect)

    ((kept,),) = sql(tasks.database, "SELECT phases FROM job_sums")
    assert len(kept) == MOST_PHASES and "zero" in kept
    assert of(tasks)["zero"] == (3, 1)


def test_sums_are_forgotten_after_their_time(tasks: Tasks, connect: PersistentConnection) -> None:
    for days in (402, 403, 398):
        run(tasks, {"read": 1}, at=days_ago(days))
    job_sums.sum_up(connect)

    run_sums.forget(connect)

    assert of(tasks) == {"read": (1, 1)}


FILL = """INSERT INTO job_sums (user_id, tenant, job_type, hour, phases, positions, buckets, numbers, is_new, of_day)
    SELECT %s::uuid, 'tenant ' || job %% 10, 'job ' || job, timestamptz '2020-01-01 00:00Z' + day * interval '24 h',
        '{a,b}', '{0,1}', '{3,4}', '{5,6}', false, true
    FROM generate_series(1, 50) AS job, generate_series(0, 399) AS day RETURNING 1"""


@pytest.mark.slow
@pytest.mark.parametrize("of", ["user_id", "tenant", "everyone"])
def test_a_month_is_a_row_for_each_day(servers: Servers, of: str) -> None:
    with servers.database() as database:
        tasks = Tasks(database)
        sql(database, FILL, tasks.user_id)
        sql(database, "ANALYZE job_sums")
        whose = {"user_id": tasks.user_id, "tenant": "tenant 3", "everyone": True}[of]
        given = {"whose": whose, "job_type": "job 3", "since": LONG_AGO.replace(year=2021), "most": 50}
        with tasks.connect() as conn, conn.cursor() as cur:
            read = rows_visited(cur, "job_sums", job_sums.TIMES[of], given)
    assert read == 400 - 366, "of 20,000"
