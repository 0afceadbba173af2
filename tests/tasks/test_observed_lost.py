"""Observed attempts that were lost, and of which something comes later."""

from __future__ import annotations

import pytest

from app.stream.event import task_stream
from tests.api.reporters import DONE, STARTED, line, new_task, part, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program, rounds
from tests.tasks.test_observed_leases import leases


@pytest.fixture
def lost(tasks: Tasks) -> tuple[Program, str]:
    """A reporter, and its task, whose attempt ``one`` was lost after a line."""
    program = Program(tasks)
    mail = new_task(STARTED, line("before"), lease_seconds=5, title="Mails")
    program.send(mail)
    with rounds(tasks) as turned:
        turned.turn(2)
    return program, str(mail["task_id"])


def test_a_lost_attempt_that_is_heard_of_again_goes_on_in_a_new_task(
    tasks: Tasks, lost: tuple[Program, str]
) -> None:
    """Nothing stops the code that reports, no line of it is lost, and the end of the first task stays."""
    program, first = lost

    answers = [program.send(part(first, *events)) for events in ([line("a")], [line("b")], [DONE])]

    assert [answer["refused"] for answer in answers] == [[], [], []]
    rows = [answer["tasks"][0] for answer in answers]
    (second,) = {row["task_id"] for row in rows}
    assert rows[0]["retry_of"] == first != second
    was, task = (tasks.state(id)["task"] for id in (first, second))
    assert (was["status"], was["error"]["type"]) == ("FAILURE", "WorkerLost")
    assert (task["status"], task["title"], task["result"]) == ("SUCCESS", "Mails", {"sent": 3})
    lines = [event for event in tasks.events(second) if event["type"] == "log"]
    assert [event["message"] for event in lines[1:]] == ["a", "b"]
    assert (lines[0]["level"], lines[0]["component"]) == ("WARNING", "taskroom")
    assert "goes on here" in lines[0]["message"] and leases(tasks) == {}


def test_what_goes_on_keeps_its_worker_and_its_place(tasks: Tasks) -> None:
    """Its reporter said them once, with the beginning."""
    program, above = Program(tasks), new_task(STARTED, lease_seconds=0)
    mail = new_task(STARTED, lease_seconds=5, worker="mail@host/4711", parent_id=above["task_id"])
    program.send(above, mail)
    with rounds(tasks) as turned:
        turned.turn(2)

    (row,) = program.send(part(mail["task_id"], line("late")))["tasks"]
    of_child = {"task_id": mail["task_id"], "worker": "mail@host/4711", "events": [status("FAILURE")]}
    answer = program.send(of_child)

    task = tasks.state(row["task_id"])["task"]
    assert (task["worker"], task["parent_id"]) == ("mail@host/4711", above["task_id"])
    assert answer["refused"] == [], "the main process of the worker says how its child ended"
    assert task["status"] == "FAILURE"


def test_what_was_kept_of_a_lost_attempt_comes_with_its_end(tasks: Tasks, lost: tuple[Program, str]) -> None:
    """Its process may be gone; another one sends what it has left."""
    _, first = lost

    answer = Program(tasks).send(part(first, line("late"), status("FAILURE")))

    task = tasks.state(answer["tasks"][0]["task_id"])["task"]
    assert answer["refused"] == [] and (task["status"], task["retry_of"]) == ("FAILURE", first)


def failures_told(tasks: Tasks) -> int:
    ((count,),) = sql(
        tasks.database, "SELECT count(*) FROM notifications WHERE notification_type = 'generation_failed'"
    )
    return int(count)


@pytest.mark.parametrize(("when", "told"), [("before the loss", 1), ("after the loss", 2)])
def test_what_came_late_of_a_lost_attempt_without_an_end_is_no_second_loss(
    tasks: Tasks, lost: tuple[Program, str], when: str, told: int
) -> None:
    """What its process has left, which another one sends; one that lives says something of now, too."""
    _, first = lost
    late = line("late", timestamp=tasks.events(first)[0]["timestamp"])
    parts = [part(first, late)] + ([part(first, line("of now"))] if when == "after the loss" else [])

    second = [Program(tasks).send(each)["tasks"][0]["task_id"] for each in parts][-1]
    with rounds(tasks) as turned:
        turned.turn(2)

    task = tasks.state(second)["task"]
    assert (task["status"], task["error"]["type"], task["retry_of"]) == ("FAILURE", "WorkerLost", first)
    assert ("came late" in task["error"]["message"]) == (when == "before the loss")
    assert failures_told(tasks) == told
    later = Program(tasks).send(part(first, DONE))
    assert later["refused"] == [], "and it may be heard of again"


def test_a_lost_attempt_may_be_lost_and_go_on_again(tasks: Tasks, lost: tuple[Program, str]) -> None:
    program, first = lost
    second = program.send(part(first, line("a")))["tasks"][0]["task_id"]
    with rounds(tasks) as turned:
        turned.turn(2)
    third = program.send(part(first, line("b")))["tasks"][0]
    program.send(part(first, DONE))

    assert third["retry_of"] == second
    ends = [tasks.state(id)["task"]["status"] for id in (first, second, third["task_id"])]
    assert ends == ["FAILURE", "FAILURE", "SUCCESS"]


def test_a_lost_attempt_after_which_another_one_began_is_over(
    tasks: Tasks, lost: tuple[Program, str]
) -> None:
    program, first = lost
    Program(tasks).send(part(first, STARTED, attempt="two"))

    answer = program.send(part(first, line("still here")))

    assert [(r["status"], r["title"]) for r in answer["refused"]] == [(409, "Attempt one is over")]


def test_a_lost_attempt_that_was_cancelled_does_not_go_on(tasks: Tasks, lost: tuple[Program, str]) -> None:
    program, first = lost
    sql(tasks.database, "UPDATE streams SET cancel_requested = true WHERE name = %s", task_stream(first))

    answer = program.send(part(first, line("still here")))

    assert answer["cancel"] == [first] and len(answer["refused"]) == 1
