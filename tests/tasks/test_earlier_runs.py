"""The plan of a run, from the earlier runs that a database has: which of them count, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.stream.event import draft, now, task_stream
from app.tasks import lifecycle
from app.tasks.history import RUNS, earlier_runs
from app.tasks.plan import Forecast, Plan, forecast
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks
from tests.tasks.large import FILL

JOB = "thumbnails"


def planned(plan: Plan | None) -> list[tuple[str, float, float | None]]:
    return [(phase["phase_id"], phase["weight"], phase["seconds"]) for phase in plan or []]


def phase_events(tasks: Tasks, task_id: str, name: str) -> None:
    stream = task_stream(task_id)
    update = {"timestamp": now(), "phase_id": name, "status": "active"}
    complete = {"timestamp": now(), "phase_id": name}
    tasks.append(
        [
            draft(stream, "phase_update", update, attempt=1),
            draft(stream, "phase_complete", complete, attempt=1),
        ]
    )


def earlier(
    tasks: Tasks, seconds: Mapping[str, float], days_ago: float = 1, idle: float = 0, **more: Any
) -> str:
    """Stores a run that succeeded with these seconds for each phase and ``idle`` seconds outside of them."""
    task_id = tasks.create(job_type=JOB, **more)
    assert tasks.claim(task_id)
    for name in seconds:
        phase_events(tasks, task_id, name)
    tasks.end(task_id)
    sql(
        tasks.database,
        "UPDATE tasks SET started_at = at, finished_at = at + %s * interval '1 s' FROM "
        "(SELECT now() - %s * interval '1 day' AS at) AS moment WHERE id = %s",
        *(sum(seconds.values()) + idle, days_ago, task_id),
    )
    begin = idle
    for name, took in seconds.items():
        sql(
            tasks.database,
            "UPDATE phases SET started_at = tasks.started_at + %s * interval '1 s', "
            "updated_at = tasks.started_at + %s * interval '1 s' FROM tasks "
            "WHERE tasks.id = task_id AND task_id = %s AND phase_id = %s",
            *(begin, begin + took, task_id, name),
        )
        begin += took
    return task_id


def expected(tasks: Tasks, phases: Mapping[str, float | None] | None = None, **more: Any) -> Forecast:
    """Returns what is expected of a new run."""
    task_id = tasks.create(job_type=JOB, **more)
    with tasks.connect() as connection, connection.cursor() as cur:
        return forecast(phases or {}, earlier_runs(cur, JOB, phases or {}, task_id))


def plan(tasks: Tasks, phases: Mapping[str, float | None] | None = None, **more: Any) -> Plan | None:
    return expected(tasks, phases, **more).plan


def test_a_run_is_planned_when_it_begins_and_the_plan_holds(tasks: Tasks) -> None:
    first = tasks.create(job_type=JOB)
    assert tasks.claim(first)
    earlier(tasks, {"scan": 1, "resize": 2})
    second = tasks.create(job_type=JOB)
    claim = tasks.claim(second)
    earlier(tasks, {"scan": 100, "resize": 1})
    tasks.end(
        second, "RETRY", retry_in=0, retry_count=1, error={"type": "E", "message": "", "traceback": None}
    )
    again = tasks.claim(second, 2)

    unknown, known = tasks.state(first)["task"], tasks.state(second)["task"]
    assert (unknown["progress"], unknown["progress_known"], unknown["plan"]) == (0, False, None)
    assert known["progress_known"] is True
    assert planned(known["plan"]) == [("scan", 0.3333, 1), ("resize", 0.6667, 2)]
    assert claim and again and claim.plan == again.plan == known["plan"]


def test_the_weights_of_the_job_go_with_the_claim(tasks: Tasks) -> None:
    task_id = tasks.create(job_type=JOB)
    with tasks.transaction() as tx:
        claimed = lifecycle.claim(tx, task_id, 1, "w@host", declared={JOB: {"a": 1, "b": 1}}.__getitem__)

    assert claimed and planned(claimed.plan) == [("a", 0.5, None), ("b", 0.5, None)]
    assert tasks.state(task_id)["task"]["plan"] == claimed.plan


def test_a_run_that_succeeded_makes_the_next_plan(tasks: Tasks) -> None:
    done, failed = tasks.started(), tasks.started()
    tasks.end(done)
    tasks.end(failed, "FAILURE", error={"type": "E", "message": "", "traceback": None})

    assert [tasks.state(t)["task"]["progress_known"] for t in (done, failed)] == [True, False]


def test_only_the_newest_runs_count(tasks: Tasks) -> None:
    for _ in range(RUNS):
        earlier(tasks, {"scan": 1, "resize": 9}, days_ago=2)
    assert planned(plan(tasks))[0][1] == 0.1
    for _ in range(RUNS // 2 + 1):
        earlier(tasks, {"scan": 9, "resize": 1}, days_ago=1)
    assert planned(plan(tasks))[0][1] == 0.9


def test_a_run_of_very_many_phases_does_not_count(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier(tasks, {"scan": 1, "resize": 2, "tell": 1})
    monkeypatch.setattr("app.tasks.history.MAX_PHASES", 3)
    assert plan(tasks) is not None
    monkeypatch.setattr("app.tasks.history.MAX_PHASES", 2)
    assert plan(tasks) is None


def test_phases_of_runs_that_failed_or_lie_outside_of_them_do_not_count(tasks: Tasks) -> None:
    failed = tasks.create(job_type=JOB)
    assert tasks.claim(failed)
    phase_events(tasks, failed, "scan")
    tasks.end(failed, "FAILURE", error={"type": "E", "message": "", "traceback": None})
    earlier(tasks, {"scan": 1, "resize": 2}, idle=60)

    found = expected(tasks)
    assert found.plan is None
    assert found.usual and (found.usual["runs"], found.usual["seconds"]) == (1, 63)


def test_of_a_run_that_was_retried_the_last_attempt_counts_and_what_it_lost(tasks: Tasks) -> None:
    retried, old = (earlier(tasks, {"scan": 1, "resize": 2}, idle=7) for _ in range(2))
    sql(
        tasks.database,
        "UPDATE tasks SET retry_count = 1, attempt_started_at = CASE WHEN id = %s THEN started_at + "
        "interval '7 s' END WHERE id = ANY(%s::uuid[])",
        *(retried, [retried, old]),
    )

    found = expected(tasks)
    assert planned(found.plan) == [("scan", 0.3333, 1), ("resize", 0.6667, 2)]
    assert found.usual == {
        "runs": 1,
        "seconds": 10,
        "p95_seconds": 10,
        "outside_seconds": 0,
        "retry_seconds": [7],
    }


def test_the_time_of_waiting_for_approval_does_not_count(tasks: Tasks) -> None:
    asked = earlier(tasks, {"scan": 1, "resize": 2}, idle=3600)
    sql(
        tasks.database,
        "INSERT INTO approvals (task_id, key, title, risk_level, estimated_cost, asked_at, decided_at, approved) "
        "SELECT id, 'go', '', 'low', 0, started_at, started_at + interval '3600 s', true FROM tasks WHERE id = %s",
        asked,
    )

    assert planned(plan(tasks)) == [("scan", 0.3333, 1), ("resize", 0.6667, 2)]


def test_undeclared_names_come_only_from_runs_that_the_owner_may_see(tasks: Tasks) -> None:
    alone, ours, theirs = tasks.add_user(), tasks.add_user("acme"), tasks.add_user("other")
    earlier(tasks, {"the secret customer": 1}, user_id=alone)
    earlier(tasks, {"scan": 1, "resize": 1}, user_id=ours)

    assert plan(tasks) is None, "runs of another user without a tenant do not count"
    assert plan(tasks, user_id=theirs) is None
    assert [name for name, _, _ in planned(plan(tasks, user_id=tasks.add_user("acme")))] == ["scan", "resize"]
    declared = {"scan": None, "resize": None}
    learnt = [("scan", 0.5, 1), ("resize", 0.5, 1)]
    assert planned(plan(tasks, declared, user_id=tasks.add_user("acme", "worker"))) == learnt
    assert expected(tasks, declared, user_id=theirs) == Forecast(), "the history of a tenant is its own"
    earlier(tasks, {"scan": 1, "resize": 1}, user_id=alone)
    assert planned(plan(tasks, declared)) == learnt, "accounts without a tenant share what is declared"


@pytest.mark.parametrize(("role", "learns"), [("operator", True), ("viewer", True), ("worker", False)])
def test_undeclared_names_of_a_tenant_are_for_those_who_may_read_its_tasks(
    tasks: Tasks, role: str, learns: bool
) -> None:
    earlier(tasks, {"the secret customer": 5.0}, user_id=tasks.add_user("acme"))

    found = plan(tasks, user_id=tasks.add_user("acme", role))

    assert [name for name, _, _ in planned(found)] == ["the secret customer"] * learns


@pytest.mark.slow
@pytest.mark.parametrize("tenant", [None, "acme"])
@pytest.mark.parametrize("phases", [{}, {"wait": None}])
def test_however_many_runs_there_are_the_newest_are_a_range_of_an_index(
    tasks: Tasks, tenant: str | None, phases: dict[str, None]
) -> None:
    sql(tasks.database, FILL, tasks.user_id)
    sql(
        tasks.database,
        "UPDATE tasks SET finished_at = created_at, status = 'SUCCESS', tenant = %s RETURNING 1",
        tenant,
    )
    sql(tasks.database, "ANALYZE tasks")
    task_id = tasks.create(user_id=tasks.add_user(tenant), job_type="emit_load")

    with tasks.connect() as connection, connection.cursor() as cur:
        cur.execute("SET enable_seqscan = on")
        earlier_runs(Visits(cur), "emit_load", phases, task_id)  # type: ignore[arg-type]


class Visits:
    """A cursor that checks how many rows of ``tasks`` its statement reads."""

    def __init__(self, cur: Any) -> None:
        self._cur, self.fetchall = cur, list

    def execute(self, statement: str, values: Any) -> None:
        assert rows_visited(self._cur, "tasks", statement, values) <= 2 * RUNS + 5
