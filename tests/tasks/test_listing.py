from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from psycopg2.extras import Json

from app.stream.event import user_stream
from app.tasks import list_filter
from app.tasks.list_counts import COUNTS, status_counts
from app.tasks.list_filter import Listing, filters
from app.tasks.listing import ListingPage, active_task, list_tasks
from tests.stream.helpers import sql
from tests.support.plans import Explaining
from tests.support.servers import Servers
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

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


# Two users, and their tenants, one after the other.
IN_ORDER = """
WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 20000) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status)
SELECT made.id, kept.id, CASE WHEN n <= 14000 THEN %s::uuid ELSE %s::uuid END,
    CASE WHEN n <= 14000 THEN 'gone' ELSE 'here' END, 'emit_load', 'Task', 'execute_command', '{}', 'manual',
    timestamptz '2020-01-01 00:00Z' + n * interval '1 s', 'SUCCESS'
FROM made JOIN kept ON kept.name = 'task:' || made.id ORDER BY n RETURNING 1"""


@pytest.fixture(scope="module")
def filled(servers: Servers) -> Iterator[tuple[str, str]]:
    """The name of a database with ten thousand tasks, counted by ANALYZE, and the user who owns them."""
    with servers.database() as database:
        tasks = Tasks(database)
        sql(database, FILL, tasks.user_id)
        sql(database, "ANALYZE tasks, streams")
        tasks.connect.close()
        yield database.rpartition("/")[2], tasks.user_id


@pytest.fixture
def many(servers: Servers, filled: tuple[str, str]) -> Iterator[Tasks]:
    """A copy of that database of the test's own."""
    template, user_id = filled
    with servers.database(template) as database:
        tasks = Tasks(database)
        tasks.user_id = user_id
        yield tasks
        tasks.connect.close()


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
