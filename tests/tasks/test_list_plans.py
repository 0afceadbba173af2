"""Each list is a piece of an index, whatever its filters: of ten thousand tasks few are looked at."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from app.errors import Conflict
from app.projections import project
from app.stream.transaction import Transaction
from app.tasks import list_filter
from app.tasks.list_counts import status_counts
from app.tasks.list_filter import Listing, filters
from app.tasks.listing import active_task, list_tasks
from app.tasks.retries import refuse_older
from tests.stream.helpers import sql
from tests.support.plans import Explaining
from tests.tasks.helpers import Tasks
from tests.tasks.large import IN_ORDER

pytestmark = pytest.mark.slow

NOWHERE = "00000000-0000-4000-8000-000000000009"


@pytest.mark.parametrize("wanted", ["user_id", "tenant"])
@pytest.mark.parametrize(
    ("filter", "index"),
    [
        ({}, "tasks_by_{}"),
        ({"q": "report"}, "tasks_by_{}"),
        ({"kind": "scheduled"}, "tasks_by_{}"),
        ({"status": "RETRY"}, "tasks_by_{}status"),
        ({"status": "SUCCESS", "job_type": "rare"}, "tasks_by_{}status"),
        ({"job_type": "rare"}, "tasks_by_{}type"),
        ({"kind": "rare"}, "tasks_by_{}type"),
    ],
    ids=str,
)
def test_a_page_deep_in_the_past_is_read_from_an_index_and_not_sorted(
    many: Tasks, wanted: str, index: str, filter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of so many tasks, counted by ANALYZE: of a few, or where most are looked at, Postgres is free to read all."""
    monkeypatch.setattr(list_filter, "SCAN_TASKS", 50)
    if index == "tasks_by_{}":
        index = index.format("user" if wanted == "user_id" else "tenant")
    index = index.format("" if wanted == "user_id" else "tenant_")
    filtered = bool(filters(frozenset(Listing(user_id="x", **filter).values())))
    whose = Listing(**{wanted: many.user_id if wanted == "user_id" else "tenant 7"}, **filter)
    plans: list[str] = []

    with many.connect() as connection, connection.cursor() as cur:
        explaining = Explaining(cur, plans)
        page = list_tasks(explaining, whose, ("2019-12-31T23:00:00Z", NOWHERE), 3)  # type: ignore[arg-type]

    assert len(page.tasks) == (0 if filter else 3)
    assert len(plans) == (2 if filtered else 1)
    for plan in plans:
        assert re.search(rf"\b{index}\b", plan) and "Sort" not in plan and "Seq Scan on tasks" not in plan, (
            plan
        )
    assert explaining.visited < 200, "not the thousands that are newer"


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"tenant": "tenant 7", "top": True}, "tasks_by_tenant_top"),
        ({"top": True}, "tasks_by_user_top"),
        ({"everyone": True}, "tasks_of_all"),
        ({"everyone": True, "top": True, "status": "RETRY"}, "tasks_of_all"),
        ({"tenant": "tenant 7", "errors": True}, "tasks_by_tenant"),
    ],
    ids=str,
)
def test_lists_without_steps_and_of_all_are_pieces_of_an_index_too(
    many: Tasks, wanted: dict[str, Any], index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_filter, "SCAN_TASKS", 50)
    whose = wanted if wanted.keys() & {"tenant", "everyone"} else wanted | {"user_id": many.user_id}
    plans: list[str] = []

    with many.connect() as connection, connection.cursor() as cur:
        explaining = Explaining(cur, plans)
        list_tasks(explaining, Listing(**whose), ("2019-12-31T23:00:00Z", NOWHERE), 3)  # type: ignore[arg-type]

    if "errors" in wanted:
        assert "phases_with_errors" in plans[0] and "events_of_errors" in plans[0]
    for plan in plans:
        assert re.search(rf"\b{index}\b", plan) and "Sort" not in plan and "Seq Scan on tasks" not in plan, (
            plan
        )
    assert explaining.visited < 200, "not the thousands that are newer"


@pytest.mark.parametrize("wanted", [{"everyone": True}, {"tenant": "tenant 0"}, {}], ids=str)
@pytest.mark.parametrize("top", [None, True])
def test_what_waits_for_approval_is_found_without_a_look_at_what_else_is_open(
    many: Tasks, wanted: dict[str, Any], top: bool | None
) -> None:
    set_status = "UPDATE tasks SET status = 'WAITING', parent_id = %s WHERE title = %s RETURNING 1"
    ((parent,),) = sql(many.database, "SELECT id FROM tasks WHERE title = 'Report 1000'")
    sql(many.database, set_status, parent, "Report 2000")
    sql(many.database, "ANALYZE tasks")
    whose = Listing(**wanted, top=top, approval=True)
    whose = whose if wanted else replace(whose, user_id=many.user_id)
    plans: list[str] = []

    with many.connect() as connection, connection.cursor() as cur:
        explaining = Explaining(cur, plans)
        page = list_tasks(explaining, whose, None, 50)  # type: ignore[arg-type]
        counts, _, complete = status_counts(explaining, whose, "nobody's")  # type: ignore[arg-type]

    assert [task["title"] for task in page.tasks] == ["Report 1000"] + ([] if top else ["Report 2000"])
    assert (sum(counts.values()), complete) == (1 if top else 2, True)
    assert explaining.visited <= 20 and "Seq Scan on tasks" not in "".join(plans), plans


@pytest.mark.parametrize("wanted", ["user_id", "tenant"])
@pytest.mark.parametrize("top", [None, True])
def test_the_list_of_who_had_most_tasks_and_made_none_for_long_is_a_piece_of_an_index(
    tasks: Tasks, wanted: str, top: bool | None
) -> None:
    """Rows lie in the order of their time, so that an index by time alone looks cheaper than it is."""
    sql(tasks.database, IN_ORDER, tasks.user_id, tasks.add_user())
    sql(tasks.database, "ANALYZE tasks, streams")

    with tasks.connect() as connection, connection.cursor() as cur:
        explaining = Explaining(cur, [])
        whose = {"user_id": tasks.user_id} if wanted == "user_id" else {"tenant": "gone"}
        page = list_tasks(explaining, Listing(**whose, top=top), None, 50)  # type: ignore[arg-type]

    assert len(page.tasks) == 50
    assert explaining.visited <= 100, "not the thousands that are newer and of others"


def test_the_task_that_runs_is_found_without_a_look_at_those_that_ended(many: Tasks) -> None:
    sql(many.database, "UPDATE tasks SET finished_at = created_at RETURNING 1")
    older, newer = many.create(), many.create()
    sql(many.database, "ANALYZE tasks")

    with many.connect() as connection, connection.cursor() as cur:
        explaining = Explaining(cur, [])
        found = active_task(explaining, many.user_id)  # type: ignore[arg-type]

    assert found == newer != older
    assert explaining.visited <= 2


def test_whether_a_task_was_started_again_is_a_row_of_an_index(many: Tasks) -> None:
    """Of one that was started again very often: by an index of time alone it would be thousands of rows."""
    ((first,),) = sql(many.database, "SELECT id::text FROM tasks WHERE title = 'Report 1000'")
    again = """UPDATE tasks SET retry_of = %s WHERE status = 'FAILURE' AND created_at < '2019-12-31 23:00Z'
               RETURNING created_at, id::text"""
    (_, oldest), *_, (_, newest) = sorted(made := sql(many.database, again, first))
    sql(many.database, "ANALYZE tasks")

    def refused(task_id: str, retry_of: str | None) -> str:
        with many.connect() as connection, connection.cursor() as cur:
            explaining = Explaining(cur, [])
            tx = Transaction(explaining, project)  # type: ignore[arg-type]
            try:
                refuse_older(tx, {"task_id": task_id, "retry_of": retry_of})
            except Conflict as refused:
                return refused.detail
            finally:
                assert explaining.visited <= 3
        return ""

    assert len(made) == 700
    assert [refused(first, None), refused(oldest, first)] == [f"It was started again as {newest}"] * 2
    assert refused(newest, first) == ""
