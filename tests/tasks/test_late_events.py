"""Events of observed tasks that arrive later than what happened after them: they put no task back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.reporters import DONE, PENDING, STARTED, line, new_task, part, status
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program

LOST = status("FAILURE", error={"type": "WorkerLostError", "message": "signal 9"})


@pytest.mark.parametrize(
    ("events", "now"),
    [
        ([STARTED], "STARTED"),
        ([STARTED, status("RETRY", retry_in=3)], "RETRY"),
        ([STARTED, DONE], "SUCCESS"),
        ([STARTED, status("FAILURE")], "FAILURE"),
        ([STARTED, status("REVOKED")], "REVOKED"),
    ],
)
def test_a_task_that_has_begun_does_not_wait_again(tasks: Tasks, events: list[Any], now: str) -> None:
    """The process that sends a task is another one than the worker, and may be slower."""
    worker, sender = Program(tasks), Program(tasks)
    mail = new_task(*events, can_retry=False)
    worker.send(mail)
    before = tasks.state(mail["task_id"])

    answer = sender.send(new_task(PENDING, task_id=mail["task_id"], attempt=None, can_retry=True))

    assert answer["refused"] == [] and before["task"]["status"] == now
    assert tasks.state(mail["task_id"]) == before


@pytest.mark.parametrize("late", [STARTED, status("RETRY"), DONE, LOST, line("late")])
def test_what_an_earlier_attempt_says_is_refused(tasks: Tasks, late: dict[str, Any]) -> None:
    program = Program(tasks)
    mail = new_task(STARTED)
    program.send(mail, part(mail["task_id"], STARTED, attempt="two"))
    before = tasks.state(mail["task_id"])

    answer = Program(tasks).send(part(mail["task_id"], late))

    assert answer["refused"][0]["title"] == "Attempt one is over"
    assert tasks.state(mail["task_id"]) == before


@pytest.mark.parametrize("late", [LOST, status("RETRY", retry_in=1), status("REVOKED")])
def test_an_end_that_speaks_of_another_worker_than_the_one_that_runs_the_task_is_refused(
    tasks: Tasks, late: dict[str, Any]
) -> None:
    """The broker has delivered the message again while the first worker's child was still at work."""
    program = Program(tasks)
    mail = new_task(STARTED, worker="a@host/17")
    program.send(mail, part(mail["task_id"], STARTED, attempt="two", worker="b@host/18"))

    answer = program.send(part(mail["task_id"], late, attempt=None, worker="a@host/17"))
    runs = tasks.state(mail["task_id"])["task"]["status"]
    program.send(part(mail["task_id"], late, attempt=None, worker="b@host/18"))

    assert [(row["status"], row["title"]) for row in answer["refused"]] == [
        (409, "Another worker runs the task by now")
    ]
    assert runs == "STARTED"
    assert tasks.state(mail["task_id"])["task"]["status"] == late["status"]


def test_an_end_of_a_worker_whose_beginning_was_never_heard_counts(tasks: Tasks) -> None:
    program = Program(tasks)
    mail = new_task(PENDING, attempt=None)
    program.send(mail)

    program.send(part(mail["task_id"], LOST, attempt=None, worker="a@host/17"))

    assert tasks.state(mail["task_id"])["task"]["error"]["type"] == "WorkerLostError"
