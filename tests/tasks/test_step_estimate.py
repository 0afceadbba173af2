"""The plan and the remaining time of a run with steps, from the earlier runs of their job types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.stream.event import task_stream
from app.tasks import parents
from app.tasks.plan import nothing_declared
from app.tasks.step_estimate import overall_progress, plan_of_steps, remaining
from app.tasks.steps import step_retry
from tests.stream.helpers import sql
from tests.tasks.families import delegated_parent, run, step, steps
from tests.tasks.helpers import Tasks

AT, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:05.000000Z"


def earlier(tasks: Tasks, job_type: str, *seconds: float) -> None:
    """Runs that succeeded, each of so many seconds."""
    for each in seconds:
        task_id = tasks.create(job_type=job_type)
        run(tasks, task_id)
        sql(
            tasks.database,
            "UPDATE tasks SET started_at = finished_at - make_interval(secs => %s),"
            " attempt_started_at = finished_at - make_interval(secs => %s) WHERE id = %s RETURNING id",
            each,
            each,
            task_id,
        )


def plan(
    tasks: Tasks, given: Sequence[dict[str, Any]], mode: str = "sequence"
) -> list[tuple[Any, ...]] | None:
    parent = tasks.create(job_type="orchestrate", params={"steps": list(given), "mode": mode})
    with tasks.connect() as conn, conn.cursor() as cur:
        found = plan_of_steps(cur, parent, {"steps": list(given), "mode": mode}, nothing_declared)
    return found and [(each["phase_id"], each["weight"], each["seconds"]) for each in found]


def of(job_type: str, **more: Any) -> dict[str, Any]:
    return step(job_type=job_type, **more)


def test_the_medians_of_the_job_types_are_the_plan(tasks: Tasks) -> None:
    earlier(tasks, "short", 9, 10, 11)
    earlier(tasks, "long", 29, 30, 31)
    within = {"steps": [of("short"), of("long")], "mode": "parallel"}

    found = plan(tasks, [of("short"), of("long"), of("orchestrate", params=within), of("short")])

    assert found == [
        ("1_short", 0.125, 10),
        ("2_long", 0.375, 30),
        ("3_orchestrate", 0.375, 30),
        ("4_short", 0.125, 10),
    ]


def test_there_is_no_plan_where_a_type_is_unknown_or_has_taken_now_this_long_now_that(tasks: Tasks) -> None:
    earlier(tasks, "known", 9, 10, 11)
    earlier(tasks, "seldom", 10, 10)
    earlier(tasks, "varied", 1, 10, 100)

    for other in ("seldom", "varied", "new"):
        assert plan(tasks, [of("known"), of(other)]) is None


def test_a_parent_counts_down_what_is_left_of_its_steps(tasks: Tasks) -> None:
    earlier(tasks, "emit_load", 10, 10, 10)
    parent = delegated_parent(tasks, step(), step(), step())

    def eta() -> Any:
        return tasks.state(parent)["task"]["eta_seconds"]

    assert eta() == 30
    assert tasks.state(parent)["task"]["usual"] is None, "other orchestrations say nothing"
    first = steps(tasks, parent)[0]
    with tasks.transaction() as tx:
        tx.append(parents.parent_progress(tx.cur, first, 50, 4.0))
    assert eta() == 24
    assert tasks.state(parent)["task"]["progress"] == 16.7
    run(tasks, first)
    assert eta() == 20
    assert tasks.state(parent)["task"]["progress"] == 33.3
    tasks.append([step_retry(task_stream(parent), "2_emit_load", {"message": "no answer"})])
    assert eta() is None
    phase = tasks.state(parent)["phases"][1]
    assert phase["message"] == "Waits for its next attempt: no answer"


def test_an_approval_ahead_leaves_the_end_open(tasks: Tasks) -> None:
    earlier(tasks, "emit_load", 10, 10, 10)
    asks = {"title": "Go?", "risk_level": "low", "estimated_cost": 0}
    parent = delegated_parent(tasks, step(), step(approval=asks), step())
    assert tasks.state(parent)["task"]["eta_seconds"] is None
    run(tasks, steps(tasks, parent)[0])

    state = tasks.state(parent)

    assert state["task"]["eta_seconds"] is None
    assert state["phases"][1]["eta_seconds"] is None


def state_of(phases: list[dict[str, Any]], mode: str = "sequence") -> dict[str, Any]:
    plan = [
        {"phase_id": f"{n}_x", "weight": weight, "seconds": 40 * weight}
        for n, weight in ((1, 0.25), (2, 0.75))
    ]
    params = {"steps": [{"job_type": "x"}, {"job_type": "x"}], "mode": mode}
    task = {"params": params, "plan": plan, "progress": 0}
    return {"task": task, "phases": phases}


def phase(number: int, status: str = "in_progress", **more: Any) -> dict[str, Any]:
    known = {
        "phase_id": f"{number}_x",
        "status": status,
        "processed_count": 0,
        "eta_seconds": 10,
        "updated_at": AT,
    }
    return known | more


def test_in_parallel_the_longest_step_counts() -> None:
    both = state_of([phase(1), phase(2, eta_seconds=30)], "parallel")

    assert remaining(both, LATER, {}) == 25
    assert remaining(both, LATER, {"2_x": 0.0}) == 5
    assert remaining(state_of([phase(1, eta_seconds=3)]), LATER, {}) is None, "it takes longer than it said"
    assert remaining(state_of([phase(1)]), LATER, {}) == 35


def test_progress_is_by_weight_and_without_a_plan_all_count_alike() -> None:
    state = state_of([phase(1, "completed"), phase(2, processed_count=50)])

    assert overall_progress(state, {}) == 62.5
    assert overall_progress(state, {"2_x": 80}) == 85
    state["task"]["plan"] = None
    assert overall_progress(state, {}) == 75
