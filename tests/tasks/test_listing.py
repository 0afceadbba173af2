from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from psycopg2.extras import Json

from app.stream.event import user_stream
from app.tasks import list_filter
from app.tasks.list_counts import COUNTS, status_counts
from app.tasks.list_filter import Listing
from app.tasks.listing import ListingPage, list_tasks
from tests.stream.helpers import sql
from tests.support.plans import Explaining
from tests.tasks.helpers import Tasks
from tests.tasks.large import FILL

pytestmark = pytest.mark.slow


def listed(
    tasks: Tasks, wanted: Listing, before: Sequence[str] | None = None, limit: int = 200
) -> ListingPage:
    with tasks.connect() as connection, connection.cursor() as cur:
        return list_tasks(cur, wanted, before, limit)


def pages(tasks: Tasks, limit: int, **wanted: str) -> list[list[str]]:
    """The titles, page by page, to the end."""
    found: list[list[str]] = []
    before: Sequence[str] | None = None
    while True:
        page = listed(tasks, Listing(user_id=tasks.user_id, **wanted), before, limit)
        found.append([task["title"] for task in page.tasks])
        if page.next is None:
            return found
        before = page.next


def titles(tasks: Tasks, limit: int, **wanted: str) -> list[str]:
    return [title for page in pages(tasks, limit, **wanted) for title in page]


def counted(tasks: Tasks, **wanted: str | None) -> tuple[dict[str, int], bool]:
    with tasks.connect() as connection, connection.cursor() as cur:
        counts, _, complete = status_counts(cur, Listing(**{"user_id": tasks.user_id, **wanted}), "nobody's")
    return counts, complete


def test_a_rare_text_is_found_among_ten_thousand_tasks(many: Tasks) -> None:

    assert titles(many, 3, q="report") == [f"Report {n}" for n in range(1_000, 10_001, 1_000)]
    assert titles(many, 3, q="REPORT", status="SUCCESS") == []
    assert titles(many, 3, q="Report 7") == ["Report 7000"]
    assert len(titles(many, 201)) == 10_000


def test_a_filter_looks_at_so_many_tasks_and_says_where_to_go_on(
    many: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_filter, "SCAN_TASKS", 2_500)

    assert pages(many, 50, q="report 4") == [[], ["Report 4000"], [], []]
    assert pages(many, 50, kind="scheduled") == [[], [], [], []]
    assert pages(many, 50, status="FAILURE", q="report 4") == [["Report 4000"]]
    assert pages(many, 50, status="RETRY") == [[]]
    assert pages(many, 50, job_type="emit_load", kind="rare") == [[]]
    assert titles(many, 3, q="report") == [f"Report {n}" for n in range(1_000, 10_001, 1_000)]
    assert counted(many, q="report") == ({"FAILURE": 2}, False)
    assert counted(many, kind="scheduled") == ({}, False)
    assert counted(many, status="RETRY") == ({}, True)
    assert counted(many) == ({"FAILURE": 2_500, "SUCCESS": 7_500}, True), (
        "all of them are counted as they change"
    )


def test_a_list_holds_the_shares_of_a_plan_but_not_of_a_run_that_succeeded(tasks: Tasks) -> None:
    planned = [
        {
            "phase_id": name,
            "weight": weight,
            "seconds": 9.5,
            "total": None,
            "power": 0,
            "bend": 1,
            "scales": False,
        }
        for name, weight in (("read", 0.75), ("write", 0.25))
    ]
    without, failed, succeeded = tasks.create(), tasks.create(), tasks.create()
    plan = "UPDATE tasks SET plan = %s, status = %s WHERE id = %s RETURNING 1"
    sql(tasks.database, plan, Json(planned), "FAILURE", failed)
    sql(tasks.database, plan, Json(planned), "SUCCESS", succeeded)

    found = {task["task_id"]: task["plan"] for task in listed(tasks, Listing(user_id=tasks.user_id)).tasks}

    shares = [{"phase_id": "read", "weight": 0.75}, {"phase_id": "write", "weight": 0.25}]
    assert found == {without: None, failed: shares, succeeded: None}


def test_a_list_holds_no_parameters_and_no_results_and_ends_after_a_megabyte(many: Tasks) -> None:
    """Two hundred failures of a long traceback each, with parameters and results of half a megabyte."""
    error = {"type": "KeyError", "message": "x", "traceback": "line\n" * 3_000}
    sql(
        many.database,
        "UPDATE tasks SET error = %s, params = %s, result = %s WHERE created_at > '2019-12-31 23:58Z'",
        Json(error),
        *[Json({"text": "x" * 100_000})] * 2,
    )
    wanted = Listing(user_id=many.user_id)

    first = listed(many, wanted)
    then = listed(many, wanted, first.next)

    assert not {"params", "result"} & set(first.tasks[0])
    assert first.tasks[0]["error"] == error
    assert 900_000 < len(orjson.dumps(first.tasks)) < 1_200_000
    assert 1 < len(first.tasks) < 200
    assert first.next is not None
    assert len({t["task_id"] for t in first.tasks + then.tasks}) == len(first.tasks) + len(then.tasks)
    assert first.tasks[-1]["created_at"] >= then.tasks[0]["created_at"]


def test_counts_stand_at_a_sequence_of_the_stream(tasks: Tasks) -> None:
    task_id = tasks.started()
    with tasks.connect() as connection, connection.cursor() as cur:
        wanted, stream = Listing(user_id=tasks.user_id), user_stream(tasks.user_id)
        running = status_counts(cur, wanted, stream)
        ended = tasks.end(task_id).events
        after = status_counts(cur, wanted, stream)
        nothing = status_counts(cur, Listing(user_id=tasks.user_id, q="nowhere"), "user:of nobody")

    last = max(event.sequence for event in ended if event.stream == stream)
    assert running[0] == {"STARTED": 1}
    assert after == ({"SUCCESS": 1}, last, True)
    assert running[1] < after[1]
    assert nothing == ({}, 0, True)


def test_counts_are_right_whoever_changes_a_task_and_when_they_are_summed_up(tasks: Tasks) -> None:
    made = [tasks.create() for _ in range(40)]
    for task_id in made[:30]:
        tasks.claim(task_id)
    COUNTS.sum_up(tasks.connect)
    for task_id in made[:28]:
        tasks.end(task_id)
    sql(tasks.database, "UPDATE tasks SET tenant = 'acme' WHERE id = %s", made[0])

    expected = {"PENDING": 10, "STARTED": 2, "SUCCESS": 28}
    assert counted(tasks) == (expected, True)
    assert COUNTS.sum_up(tasks.connect) == 1
    assert counted(tasks) == (expected, True)
    assert COUNTS.sum_up(tasks.connect) == 0, "once is enough"
    ((rows,),) = sql(tasks.database, "SELECT count(*) FROM task_counts")
    assert rows == 4, "of a user one for each status, and those of a tenant by themselves"
    assert counted(tasks, user_id=None, tenant="acme") == ({"SUCCESS": 1}, True)


def test_counting_a_whole_list_reads_no_task(tasks: Tasks) -> None:
    for _ in range(3):
        sql(tasks.database, FILL, tasks.user_id)
    COUNTS.sum_up(tasks.connect)
    sql(tasks.database, "ANALYZE")
    plans: list[str] = []

    with tasks.connect() as connection, connection.cursor() as cur:
        counts = status_counts(Explaining(cur, plans), Listing(user_id=tasks.user_id), "x")[0]  # type: ignore[arg-type]

    assert counts == {"FAILURE": 7_500, "SUCCESS": 22_500}
    assert "tasks" not in plans[0], plans[0]
