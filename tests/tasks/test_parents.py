"""Parents and steps: how a step's end changes its parent, with nothing but Postgres to count steps."""

from __future__ import annotations

from app.stream.event import task_stream
from app.stream.store import Appended, lock
from app.tasks import lifecycle, parents
from app.tasks.dispatch import started_steps
from app.tasks.steps import step_wait
from tests.stream.helpers import sql
from tests.tasks.families import (
    BROKEN,
    consistent,
    delegate,
    delegated_parent,
    owner_events,
    run,
    status,
    step,
    steps,
)
from tests.tasks.helpers import Tasks


def test_steps_in_sequence_start_one_after_the_other_and_end_their_parent(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(title="First"), step())

    assert tasks.leases() == {}, "a parent holds no worker"
    (first,) = steps(tasks, parent)
    next_one = list(started_steps(run(tasks, first, result={"made": 1}).events))
    second = steps(tasks, parent)[1]
    assert next_one == [(second, 1, "emit_load")]
    assert tasks.state(parent)["task"]["progress"] == 50
    run(tasks, second, result=2)

    ended = tasks.state(parent)
    assert (ended["task"]["status"], ended["task"]["progress"]) == ("SUCCESS", 100)
    assert [(p["phase_id"], p["status"]) for p in ended["phases"]] == [
        ("1_emit_load", "completed"),
        ("2_emit_load", "completed"),
    ]
    assert [(r["title"], r["result"], r["success"]) for r in ended["task"]["result"]["subtask_results"]] == [
        ("First", {"made": 1}, True),
        ("All: emit_load", 2, True),
    ]
    assert consistent(tasks, parent, first, second)


def test_the_owner_gets_events_of_a_parent_and_its_steps_with_their_results(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)

    run(tasks, only, result="done")

    created = [(e["task_id"], e["parent_id"]) for e in owner_events(tasks) if e["type"] == "task_created"]
    assert created == [(parent, None), (only, parent)]
    of_parent = [e["type"] for e in owner_events(tasks) if e.get("task_id") == parent]
    assert of_parent == [
        "task_created",
        "status_changed",
        "agent_started",
        "agent_completed",
        "task_completed",
        "status_changed",
    ]
    (completed,) = [
        e for e in owner_events(tasks) if e["type"] == "task_completed" and e["task_id"] == parent
    ]
    assert [r["result"] for r in completed["subtask_results"]] == ["done"]
    about = [e["related_id"] for e in owner_events(tasks) if e["type"] == "notification"]
    assert about == [parent], "steps have no notifications"


def test_steps_in_parallel_all_start_and_the_last_to_end_ends_the_parent(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), step(), mode="parallel")
    a, b, c = steps(tasks, parent)

    run(tasks, b)
    run(tasks, c)
    assert status(tasks, parent) == "STARTED"
    run(tasks, a)

    assert status(tasks, parent) == "SUCCESS"
    assert consistent(tasks, parent, a, b, c)


def test_a_failed_step_ends_its_parent_and_the_other_steps(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), step(), mode="parallel")
    waiting, running, failing = steps(tasks, parent)
    assert tasks.claim(running)

    run(tasks, failing, "FAILURE")

    assert status(tasks, waiting) == "REVOKED"
    assert status(tasks, parent) == "STARTED", "one of them is still asked to stop"
    run_on = tasks.end(running, "REVOKED", error=BROKEN)
    assert run_on.closed == {task_stream(running), task_stream(parent)}
    ended = tasks.state(parent)["task"]
    assert (ended["status"], ended["error"]["type"]) == ("FAILURE", "SubtaskFailed")
    assert ended["error"]["message"] == "Step 3 (emit_load): it broke"
    assert [r["status"] for r in ended["result"]["subtask_results"]] == ["REVOKED", "REVOKED", "FAILURE"]
    assert consistent(tasks, parent, waiting, running, failing)


def test_a_parent_that_fails_stays_where_its_steps_were(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), step(), step(), mode="parallel")
    succeeded, running, failing, _ = steps(tasks, parent)
    run(tasks, succeeded)
    assert tasks.claim(running)
    with tasks.transaction() as tx:
        tx.append(parents.parent_progress(tx.cur, running, 40, None))

    run(tasks, failing, "FAILURE")
    tasks.end(running, "REVOKED", error=BROKEN)

    ended = tasks.state(parent)["task"]
    assert (ended["status"], ended["progress"]) == ("FAILURE", (100 + 40 + 0 + 0) / 4)


def test_a_sequence_stops_at_the_step_that_fails(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step())
    (first,) = steps(tasks, parent)

    run(tasks, first, "FAILURE")

    assert status(tasks, parent) == "FAILURE"
    assert steps(tasks, parent) == [first]


def test_a_step_that_may_fail_does_not_end_its_parent(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(on_failure="continue"), step())

    run(tasks, steps(tasks, parent)[0], "FAILURE")
    run(tasks, steps(tasks, parent)[1])

    ended = tasks.state(parent)
    assert ended["task"]["status"] == "SUCCESS"
    assert [r["success"] for r in ended["task"]["result"]["subtask_results"]] == [False, True]
    assert [p["status"] for p in ended["phases"]] == ["error", "completed"]


def test_a_step_that_is_retried_has_not_failed(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)

    run(tasks, only, "RETRY", retry_count=1)
    assert status(tasks, parent) == "STARTED"
    assert tasks.claim(only, 2)
    tasks.end(only, attempt=2, retry_count=1)

    assert status(tasks, parent) == "SUCCESS"


def test_an_approved_step_runs_and_a_rejected_one_ends_the_whole(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(approval={"title": "Go?", "risk_level": "high"}))
    (only,) = steps(tasks, parent)
    assert status(tasks, only) == "WAITING"
    assert tasks.state(parent)["phases"][0]["message"] == "Waits for approval: Go?"

    with tasks.transaction() as tx:
        lifecycle.decide_approval(tx, only, False, "a@example.org")

    ended = tasks.state(parent)["task"]
    assert (ended["status"], ended["error"]["message"]) == (
        "REVOKED",
        "Step 1 (emit_load): Rejected by a@example.org",
    )


def test_a_step_of_a_step_ends_all_above_it(tasks: Tasks) -> None:
    inner = {"job_type": "orchestrate", "params": {"steps": [step(), step()], "mode": "parallel"}}
    parent = delegated_parent(tasks, step(**inner), step(), mode="parallel")
    middle, other = steps(tasks, parent)
    assert tasks.claim(middle)
    delegate(tasks, middle)
    one, two = steps(tasks, middle)
    assert tasks.claim(two)

    run(tasks, one, "FAILURE")
    assert status(tasks, other) == "PENDING"
    tasks.end(two, "REVOKED", error=BROKEN)

    assert [status(tasks, t) for t in (middle, other, parent)] == ["FAILURE", "REVOKED", "FAILURE"]
    assert (
        tasks.state(parent)["task"]["error"]["message"]
        == "Step 1 (orchestrate): Step 1 (emit_load): it broke"
    )
    assert consistent(tasks, parent, middle, other, one, two)


def test_the_progress_of_a_step_moves_all_above_it(tasks: Tasks) -> None:
    inner = {"job_type": "orchestrate", "params": {"steps": [step(), step()], "mode": "parallel"}}
    parent = delegated_parent(tasks, step(**inner), step())
    (middle,) = steps(tasks, parent)
    assert tasks.claim(middle)
    delegate(tasks, middle)
    one = steps(tasks, middle)[0]

    def progress(percent: float) -> Appended:
        with tasks.transaction() as tx:
            return tx.append(parents.parent_progress(tx.cur, one, percent, None))

    progress(50)
    assert (tasks.state(middle)["task"]["progress"], tasks.state(parent)["task"]["progress"]) == (25, 12.5)
    run(tasks, one)
    late = progress(80)

    assert late == Appended(), "an ended phase changes no more"
    assert consistent(tasks, parent, middle)


def test_results_of_steps_that_are_too_large_stay_with_the_steps(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), mode="parallel")

    for task_id in steps(tasks, parent):
        run(tasks, task_id, result="x" * 150_000)

    results = [r["result"] for r in tasks.state(parent)["task"]["result"]["subtask_results"]]
    assert results[0] == "x" * 150_000 and results[1] == {"truncated": True, "bytes": 150_002}


def test_a_result_that_is_too_large_leaves_room_for_later_ones(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, *[step()] * 4)
    for result in ("y" * 250_000, "small", {"n": 1}, None):
        run(tasks, steps(tasks, parent)[-1], result=result)

    results = [r["result"] for r in tasks.state(parent)["task"]["result"]["subtask_results"]]
    assert results == [{"truncated": True, "bytes": 250_002}, "small", {"n": 1}, None]


def test_a_phase_ends_as_its_step_did_and_once(tasks: Tasks) -> None:
    failed = delegated_parent(tasks, step(), step(), mode="parallel")
    one, two = steps(tasks, failed)
    assert tasks.claim(two)
    run(tasks, one, "FAILURE")
    tasks.end(two)  # the step succeeds before its worker sees the cancel
    passed = delegated_parent(tasks, step(), step(on_failure="continue"))
    run(tasks, steps(tasks, passed)[0])
    run(tasks, steps(tasks, passed)[1], "FAILURE")

    assert [status(tasks, parent) for parent in (failed, passed)] == ["FAILURE", "SUCCESS"]
    assert [p["status"] for p in tasks.state(failed)["phases"]] == ["error", "completed"]
    assert [p["status"] for p in tasks.state(passed)["phases"]] == ["completed", "error"]
    for parent in (failed, passed):
        ends = [e["phase_id"] for e in tasks.events(parent) if e.get("status") in ("completed", "error")]
        assert sorted(ends) == ["1_emit_load", "2_emit_load"]


def test_a_late_report_of_a_step_leaves_no_phase_open(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(on_failure="continue"), step())
    run(tasks, steps(tasks, parent)[0], "FAILURE")

    tasks.append([step_wait(task_stream(parent), "1_emit_load", "Go?")])
    run(tasks, steps(tasks, parent)[1])

    assert [p["status"] for p in tasks.state(parent)["phases"]] == ["error", "completed"]


def test_the_cause_is_the_failed_step_whatever_the_clocks_say(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), mode="parallel")
    one, two = steps(tasks, parent)
    assert tasks.claim(two)
    run(tasks, one, "FAILURE")
    sql(tasks.database, "UPDATE tasks SET finished_at = finished_at + interval '1 minute' WHERE id = %s", one)

    tasks.end(two, "REVOKED", error=BROKEN)

    assert tasks.state(parent)["task"]["error"]["message"] == "Step 1 (emit_load): it broke"


def test_progress_does_not_wait_for_the_parents_lock(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)
    other = Tasks(tasks.database)

    with other.connect() as holding, holding.cursor() as cur:
        lock(cur, [task_stream(parent)])
        with tasks.connect() as connection, connection.cursor() as waiting:
            assert parents.parent_progress(waiting, only, 50, None) == []

    other.connect.close()
