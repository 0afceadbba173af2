"""Leases of observed attempts: as long as their reporters ask for, renewed by each batch that names the task."""

from __future__ import annotations

import uuid

import pytest

from app.stream.event import draft, task_stream
from tests.api.reporters import DONE, PENDING, STARTED, line, new_task, part, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program, rounds


def leases(tasks: Tasks) -> dict[str, tuple[int, int]]:
    """(rounds, missed) of each task that runs."""
    return {
        id: (r, m) for id, r, m in sql(tasks.database, "SELECT task_id::text, rounds, missed FROM leases")
    }


def started(program: Program, **more: object) -> str:
    mail = new_task(STARTED, **more)
    assert program.send(mail)["refused"] == []
    return str(mail["task_id"])


@pytest.mark.parametrize(("seconds", "missed"), [(None, 13), (5, 2), (60, 13), (86_400, 17_281)])
def test_the_rounds_follow_from_the_seconds_and_are_a_minute_by_default(
    tasks: Tasks, seconds: int | None, missed: int
) -> None:
    task_id = started(Program(tasks), lease_seconds=seconds)

    assert leases(tasks) == {task_id: (missed, 0)}


def test_with_0_there_is_no_lease_and_the_next_attempt_has_none_either(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program, lease_seconds=0)
    first = leases(tasks)

    program.send(part(task_id, STARTED, attempt="two"))

    assert first == leases(tasks) == {}
    with rounds(tasks) as turned:
        turned.turn(30)
    assert tasks.state(task_id)["task"]["status"] == "STARTED"


def test_an_attempt_whose_reporter_is_silent_is_lost_and_never_run_by_us(tasks: Tasks) -> None:
    """Also where one of our job types has that name, and retries."""
    task_id = started(Program(tasks), lease_seconds=10, job_type="emit_load")

    with rounds(tasks, may_retry=True) as turned:
        turned.turn(2)
        runs = tasks.state(task_id)["task"]["status"]
        turned.turn()

    task = tasks.state(task_id)["task"]
    assert (runs, task["status"], task["error"]["type"]) == ("STARTED", "FAILURE", "WorkerLost")
    assert tasks.dispatches() == {} and leases(tasks) == {}


@pytest.mark.parametrize("how", ["events", "named", "running"])
def test_any_batch_that_names_the_task_renews_its_lease(tasks: Tasks, how: str) -> None:
    program, other = Program(tasks), Program(tasks)
    task_id = started(program, lease_seconds=10)
    named = {"events": (part(task_id, line("x")),), "named": (part(task_id),), "running": ()}[how]
    workers = [{"name": "w", "running": [task_id]}] if how == "running" else []

    with rounds(tasks) as turned:
        for _ in range(4):
            turned.turn(2)
            assert other.send(*named, workers=workers)["refused"] == []

    assert leases(tasks) == {task_id: (3, 0)}
    assert tasks.state(task_id)["task"]["status"] == "STARTED"


def test_what_is_refused_renews_nothing(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program)
    program.send(part(task_id, STARTED, attempt="two"))
    sql(tasks.database, "UPDATE leases SET missed = 1")

    assert program.send(part(task_id, line("late")))["refused"]

    assert leases(tasks)[task_id][1] == 1


def test_a_longer_lease_may_be_asked_for_later_and_none_any_more(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program)

    program.send(part(task_id, lease_seconds=600))
    longer = leases(tasks)
    program.send(part(task_id, line("x")))
    kept = leases(tasks)
    program.send(part(task_id, lease_seconds=0))

    assert longer == kept == {task_id: (121, 0)}
    assert leases(tasks) == {}


@pytest.mark.parametrize("end", [DONE, status("RETRY"), status("FAILURE"), status("REVOKED")])
def test_the_end_of_an_attempt_ends_its_lease(tasks: Tasks, end: dict[str, object]) -> None:
    program = Program(tasks)
    task_id = started(program)

    program.send(part(task_id, end))

    assert leases(tasks) == {} and tasks.dispatches() == {}


def test_a_task_that_waits_needs_no_lease(tasks: Tasks) -> None:
    Program(tasks).send(new_task(PENDING, attempt=None))

    with rounds(tasks) as turned:
        turned.turn(30)

    assert sql(tasks.database, "SELECT status FROM tasks") == [("PENDING",)]


def test_a_lost_task_that_was_cancelled_is_revoked(tasks: Tasks) -> None:
    task_id = started(Program(tasks), lease_seconds=5)
    sql(tasks.database, "UPDATE streams SET cancel_requested = true WHERE name = %s", task_stream(task_id))

    with rounds(tasks) as turned:
        turned.turn(2)

    assert tasks.state(task_id)["task"]["status"] == "REVOKED"


def test_our_own_leases_are_counted_as_before(tasks: Tasks) -> None:
    ours = tasks.started()

    assert leases(tasks) == {ours: (4, 0)}


def test_the_rounds_wait_for_no_lease_that_a_batch_has_locked(tasks: Tasks) -> None:
    task_id, other = started(Program(tasks)), started(Program(tasks))

    with tasks.of_any_thread() as tx, rounds(tasks) as turned:
        tx.cur.execute("SELECT 1 FROM leases WHERE task_id = %s FOR UPDATE", (task_id,))
        turned.turn()

        assert leases(tasks) == {task_id: (13, 0), other: (13, 1)}


def test_our_own_worker_that_died_ends_no_observed_task_of_that_worker(tasks: Tasks) -> None:
    """A reporter may give its workers any name, such as that of one of ours."""
    program = Program(tasks)
    started(program, worker="celery@here/7")

    assert sql(tasks.database, "SELECT 1 FROM leases WHERE holder IS NULL") == []


def test_without_lease_and_events_for_long_it_expires(tasks: Tasks) -> None:
    from app.tasks.forsaken import expire_tasks

    program = Program(tasks)
    silent, heard, leased = (
        started(program, lease_seconds=seconds, created_at="2026-01-01T00:00:00Z") for seconds in (0, 0, 60)
    )
    waiting = new_task(PENDING, attempt=None)
    program.send(waiting)
    old = {"timestamp": "2026-01-01T00:00:00.000000Z", "level": "INFO", "message": "old"}
    for task_id in (silent, leased, waiting["task_id"]):
        tasks.append([draft(task_stream(task_id), "log", old)])
    sql(tasks.database, "UPDATE tasks SET updated_at = now() - interval '100 days'")

    ended = expire_tasks(tasks.connect, tasks.transaction, 90)

    assert ended == 2
    for task_id in (silent, waiting["task_id"]):
        error = tasks.state(task_id)["task"]["error"]
        assert error["type"] == "Expired" and error["message"].startswith(
            "Nothing was heard of it for 90 days"
        )
    assert {tasks.state(id)["task"]["status"] for id in (heard, leased)} == {"STARTED"}


def test_each_task_has_one_lease_whatever_comes_in_its_batch(tasks: Tasks) -> None:
    program, task_id = Program(tasks), str(uuid.uuid4())

    program.send(
        new_task(STARTED, status("RETRY"), task_id=task_id),
        part(task_id, STARTED, attempt="two"),
        part(task_id, line("x"), attempt="two", lease_seconds=30),
    )

    assert leases(tasks) == {task_id: (7, 0)}
    assert tasks.leases() == {task_id: (2, 0)}
