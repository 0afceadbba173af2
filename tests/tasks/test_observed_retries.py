"""Leases of observed tasks that wait for their next attempt."""

from __future__ import annotations

import pytest

from tests.api.reporters import STARTED, part, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program, rounds
from tests.tasks.test_observed_leases import leases, started

NEXT = status("RETRY", retry_in=20)


def silent(tasks: Tasks, task_id: str, turns: int) -> tuple[object, object]:
    """The status after so many rounds, and after one more."""
    with rounds(tasks) as turned:
        turned.turn(turns)
        before = tasks.state(task_id)["task"]["status"]
        turned.turn()
    return before, tasks.state(task_id)["task"]["status"]


def test_a_task_whose_next_attempt_does_not_begin_is_lost(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program, lease_seconds=10)
    program.send(part(task_id, NEXT))

    assert leases(tasks) == {task_id: (7, 0)}  # of 20 and 10 s
    assert silent(tasks, task_id, 6) == ("RETRY", "FAILURE")
    error = tasks.state(task_id)["task"]["error"]
    assert error["type"] == "WorkerLost"
    assert error["message"] == "The next attempt has not begun, and nothing was heard of its reporter"
    assert leases(tasks) == {}


@pytest.mark.parametrize("how", ["named", "running", "waiting"])
def test_who_names_a_task_that_waits_for_its_next_attempt_keeps_it(tasks: Tasks, how: str) -> None:
    program, other = Program(tasks), Program(tasks)
    task_id = started(program, lease_seconds=10)
    program.send(part(task_id, NEXT))
    named = [part(task_id, attempt=None)] if how == "named" else []
    workers = [] if how == "named" else [{"name": "w", how: [task_id]}]

    with rounds(tasks) as turned:
        for _ in range(3):
            turned.turn(6)
            assert other.send(*named, workers=workers)["refused"] == []

    assert leases(tasks) == {task_id: (7, 0)}
    assert tasks.state(task_id)["task"]["status"] == "RETRY"


def test_the_next_attempt_has_the_lease_of_an_attempt_that_runs(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program, lease_seconds=10)
    program.send(part(task_id, NEXT))

    program.send(part(task_id, STARTED, attempt="two"))

    assert leases(tasks) == {task_id: (3, 0)}


@pytest.mark.parametrize("said", [{"lease_seconds": 0}, {}], ids=["no lease", "not when"])
def test_without_a_lease_or_a_time_a_retry_waits_for_ever(tasks: Tasks, said: dict[str, int]) -> None:
    program = Program(tasks)
    task_id = started(program, **said)

    program.send(part(task_id, NEXT if said else status("RETRY")))

    assert leases(tasks) == {}


def test_a_message_in_a_queue_is_waited_for_an_hour_and_while_there_are_messages(tasks: Tasks) -> None:
    program = Program(tasks)
    task_id = started(program, lease_seconds=120, queue="shop")
    program.send(part(task_id, NEXT), queues=[{"name": "shop", "depth": 1}])
    hour = leases(tasks)[task_id]
    sql(tasks.database, "UPDATE leases SET missed = 724")

    with rounds(tasks) as turned:
        turned.turn()
        full = tasks.state(task_id)["task"]["status"], leases(tasks)[task_id]
        program.send(queues=[{"name": "shop", "depth": 0}])
        sql(tasks.database, "UPDATE leases SET missed = 724")
        turned.turn()

    assert hour == (725, 0)  # of 3,620 s
    assert full == ("RETRY", (725, 0))
    assert tasks.state(task_id)["task"]["status"] == "FAILURE"


@pytest.mark.parametrize("depth_of", ["another queue", "another account", "long ago"])
def test_messages_elsewhere_keep_no_task(tasks: Tasks, depth_of: str) -> None:
    program = Program(tasks)
    task_id = started(program, queue="shop")
    name = "other" if depth_of == "another queue" else "shop"
    program.send(part(task_id, NEXT), queues=[{"name": name, "depth": 1}])
    if depth_of == "another account":
        other = tasks.add_user()
        sql(tasks.database, "UPDATE queue_reports SET user_id = %s", other)
    elif depth_of == "long ago":
        sql(tasks.database, "UPDATE queue_reports SET seen_at = now() - interval '31 seconds'")
    sql(tasks.database, "UPDATE leases SET missed = 724")

    with rounds(tasks) as turned:
        turned.turn()

    assert tasks.state(task_id)["task"]["status"] == "FAILURE"
