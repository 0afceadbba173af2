"""Old tasks are removed as a whole, in batches, and without keeping others waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from app.errors import NotFound
from app.stream.event import task_stream
from app.tasks import lifecycle, old_tasks, removal
from app.tasks.creation import Origin
from app.tasks.parents import delegation
from app.tasks.removal import remove_tasks
from tests.stream.helpers import line, patient_single, sql
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks
from tests.tasks.large import FILL

YEAR = 365


@pytest.fixture
def connect(database: str) -> Iterator[Any]:
    connect = patient_single(database)
    yield connect
    connect.close()


def ended(tasks: Tasks, days_ago: int = 400, lines: int = 3, **more: Any) -> str:
    task_id = tasks.create(**more)
    assert tasks.claim(task_id)
    tasks.append([line(task_stream(task_id), str(n), attempt=1) for n in range(lines)])
    tasks.open_phase(task_id)
    tasks.end(task_id)
    ago(tasks, days_ago, task_id)
    return task_id


def ago(tasks: Tasks, days: int, *ids: str) -> None:
    sql(
        tasks.database,
        """UPDATE tasks SET finished_at = now() - make_interval(days => %s)
           WHERE id = ANY(%s::uuid[]) AND finished_at IS NOT NULL""",
        *(days, list(ids)),
    )


def left(tasks: Tasks) -> set[str]:
    return {task_id for (task_id,) in sql(tasks.database, "SELECT id::text FROM tasks")}


def family(tasks: Tasks) -> tuple[str, list[str]]:
    """Creates a parent with two queued steps."""
    steps = [{"job_type": "emit_load", "params": {}, "on_failure": "continue"}] * 2
    parent = tasks.create(job_type="orchestrate", params={"steps": steps, "mode": "parallel"})
    assert tasks.claim(parent)
    tasks.append([delegation(task_stream(parent), 1, 2)])
    found = sql(tasks.database, "SELECT id::text FROM tasks WHERE parent_id = %s ORDER BY step", parent)
    return parent, [task_id for (task_id,) in found]


def test_a_task_that_ended_long_ago_is_removed_with_all_its_data(tasks: Tasks, connect: Any) -> None:
    ended(tasks)
    kept = [ended(tasks, days_ago=300), tasks.started(), tasks.create()]
    ago(tasks, 400, *kept[1:])

    assert remove_tasks(connect, YEAR) == 1
    assert left(tasks) == set(kept)
    for table in ("phases", "approvals", "dispatches", "leases"):
        assert sql(tasks.database, f"SELECT 1 FROM {table} WHERE NOT task_id = ANY(%s::uuid[])", kept) == []
    streams = {task_stream(task_id) for task_id in kept}
    of_tasks = sql(tasks.database, "SELECT name FROM streams WHERE name LIKE 'task:%%'")
    assert {name for (name,) in of_tasks} == streams
    assert sql(tasks.database, "SELECT 1 FROM events WHERE stream_id NOT IN (SELECT id FROM streams)") == []
    counted = sql(
        tasks.database, "SELECT status, sum(number)::int FROM task_counts GROUP BY 1 HAVING sum(number) <> 0"
    )
    assert dict(counted) == {"SUCCESS": 1, "STARTED": 1, "PENDING": 1}


def test_a_family_is_removed_as_a_whole_when_all_its_tasks_are_old(tasks: Tasks, connect: Any) -> None:
    parent, (first, second) = family(tasks)
    for step in (first, second):
        assert tasks.claim(step)
    tasks.end(first)
    ago(tasks, 400, first)
    assert remove_tasks(connect, YEAR) == 0, "its parent runs, and the other step does"

    tasks.end(second)
    assert tasks.state(parent)["task"]["status"] == "SUCCESS"
    ago(tasks, 400, parent, first)
    assert remove_tasks(connect, YEAR) == 0, "a step ended just now"

    ago(tasks, 400, second)
    assert remove_tasks(connect, YEAR) == 3
    assert left(tasks) == set()


def test_a_retried_task_stays_as_long_as_its_retry(tasks: Tasks, connect: Any) -> None:
    old = ended(tasks, days_ago=500)
    retry = ended(tasks, days_ago=10, origin=Origin("retry", retry_of=old))

    assert remove_tasks(connect, YEAR) == 0 and left(tasks) == {old, retry}
    ago(tasks, 400, retry)
    assert remove_tasks(connect, YEAR) == 1 and left(tasks) == {old}
    assert remove_tasks(connect, YEAR) == 1 and left(tasks) == set()


def test_a_task_with_many_events_is_pruned_in_batches_first(
    tasks: Tasks, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(tasks, lines=400)
    monkeypatch.setattr(removal, "EVENTS_AT_ONCE", 100)
    monkeypatch.setattr("app.tasks.retention.BATCH_EVENTS", 100)
    batches = []
    prune_batch = removal.prune_batch
    monkeypatch.setattr(
        removal, "prune_batch", lambda *of: batches.append(count := prune_batch(*of)) or count
    )

    assert remove_tasks(connect, YEAR) == 1
    assert max(batches) == 100 and sum(batches) > 400
    assert left(tasks) == set()


def test_a_locked_stream_keeps_its_task_until_the_next_run(tasks: Tasks, connect: Any) -> None:
    held, free = ended(tasks), ended(tasks)

    with tasks.transaction() as tx:
        assert lifecycle.unfinished_retry(tx, held) is None  # locks the stream as a retry does
        assert remove_tasks(connect, YEAR) == 1
    assert left(tasks) == {held} and free not in left(tasks)

    assert remove_tasks(connect, YEAR) == 1


def test_a_run_that_was_started_again_does_not_keep_the_first_one(tasks: Tasks, connect: Any) -> None:
    first = ended(tasks)
    again = ended(tasks, days_ago=10, origin=Origin(again_of=first))
    assert tasks.state(again)["task"]["again_of"] == first

    assert remove_tasks(connect, YEAR) == 1

    assert left(tasks) == {again}
    assert tasks.state(again)["task"]["again_of"] is None


def test_a_run_that_is_started_again_from_one_that_was_removed_meanwhile_names_none(tasks: Tasks) -> None:
    again = tasks.create(origin=Origin(again_of="00000000-0000-4000-8000-000000000001"))

    assert tasks.events(again)[0]["again_of"] is tasks.state(again)["task"]["again_of"] is None


def test_a_retry_of_a_task_that_was_removed_meanwhile_is_not_found(tasks: Tasks, connect: Any) -> None:
    task_id = ended(tasks)
    remove_tasks(connect, YEAR)

    with tasks.transaction() as tx, pytest.raises(NotFound):
        lifecycle.unfinished_retry(tx, task_id)


def test_a_page_of_ended_tasks_is_a_range_of_an_index_in_the_order_of_time(
    tasks: Tasks, connect: Any
) -> None:
    sql(tasks.database, FILL, tasks.user_id)
    sql(tasks.database, "UPDATE tasks SET finished_at = created_at + random() * interval '1 day'")
    sql(tasks.database, "ANALYZE tasks, streams")
    asked: list[int] = []  # rows that each statement read

    class Noting(Cursor):
        def execute(self, query: Any, values: Any = None) -> None:
            statement = self.mogrify(query, values)
            asked.append(rows_visited(self.connection.cursor(), "tasks", statement))
            super().execute(query, values)

    @contextmanager
    def noting() -> Iterator[Any]:
        with connect() as conn:
            yield SimpleNamespace(cursor=lambda: conn.cursor(cursor_factory=Noting))

    found: list[tuple[str, str]] = []
    while page := old_tasks.page(noting, removal._ENDED, YEAR, found[-1] if found else old_tasks.FIRST):  # type: ignore[arg-type]
        found += page

    in_order = sql(tasks.database, "SELECT id::text FROM tasks ORDER BY tasks.finished_at, tasks.id")
    assert [task_id for _, task_id in found] == [task_id for (task_id,) in in_order]
    assert len(asked) > 50 and sum(asked) < 50_000, "sorting each page would read hundreds of thousands"


def test_a_run_that_is_out_of_time_leaves_the_rest_to_the_next(tasks: Tasks, connect: Any) -> None:
    for _ in range(3):
        ended(tasks)

    assert remove_tasks(connect, YEAR, seconds=0) == 0
    assert remove_tasks(connect, YEAR) == 3
