"""Parents of observed tasks of which nothing is reported itself."""

from __future__ import annotations

import uuid

from tests.api.reporters import DONE, STARTED, new_task, part, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program, rounds
from tests.tasks.test_observed_tree import field

UNREPORTED_ROUNDS = 121  # of five seconds: the first finds all below it ended, ten minutes later it ends


def test_a_parent_that_is_never_reported_ends_when_its_children_have_for_ten_minutes(tasks: Tasks) -> None:
    program, parent = Program(tasks), str(uuid.uuid4())
    children = [new_task(STARTED, parent_id=parent, lease_seconds=0) for _ in range(2)]
    with rounds(tasks) as turned:
        program.send(*children)
        program.send(part(children[0]["task_id"], DONE))
        turned.turn(UNREPORTED_ROUNDS + 1)
        waits = field(tasks, parent, "status", "title", "current_phase_message")
        program.send(part(children[1]["task_id"], status("FAILURE")))
        turned.turn(UNREPORTED_ROUNDS - 1)
        still = field(tasks, parent, "status", "current_phase_message")
        turned.turn()

    assert waits == ("PENDING", "Parent of 2 × shop.mail", "1 of 2 have ended")
    assert still == ("PENDING", "2 of 2 have ended")
    message = "Nothing was reported of this task itself; the 2 tasks below it have ended"
    error = {"type": "NotReported", "message": message, "traceback": None}
    assert field(tasks, parent, "status", "error", "result", "started_at") == ("REVOKED", error, None, None)
    assert sql(tasks.database, "SELECT 1 FROM open_groups") == []


def test_a_parent_that_is_reported_late_ends_by_its_own_reports_alone(tasks: Tasks) -> None:
    program, parent, other = Program(tasks), str(uuid.uuid4()), new_task(STARTED)
    child = new_task(STARTED, DONE, parent_id=parent)
    program.send(child)

    program.send(new_task(STARTED, task_id=parent))
    with rounds(tasks) as turned:
        turned.turn(4)  # of a minute's lease
        program.send(part(parent))
        in_one_batch = new_task(STARTED, DONE, parent_id=other["task_id"])
        program.send(in_one_batch, other)
        waits = sql(tasks.database, "SELECT task_id::text FROM open_groups")

    assert waits == []
    assert field(tasks, parent, "status", "title") == ("STARTED", "shop.mail")


def test_a_parent_that_is_reported_after_its_end_is_a_run_of_its_own(tasks: Tasks) -> None:
    program, parent = Program(tasks), str(uuid.uuid4())
    program.send(new_task(STARTED, DONE, parent_id=parent))
    with rounds(tasks) as turned:
        turned.turn(UNREPORTED_ROUNDS)

    (row,) = program.send(new_task(STARTED, DONE, task_id=parent))["tasks"]

    assert (row["id"], row["retry_of"]) == (parent, parent)
    assert field(tasks, row["task_id"], "job_type", "title", "status") == (
        "shop.mail",
        "shop.mail",
        "SUCCESS",
    )
