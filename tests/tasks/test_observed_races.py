"""Two batches that report the same task at the same moment: the second finds what the first has stored."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.api.reporters import DONE, PENDING, STARTED, line, new_task, part
from tests.stream.helpers import sql
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program

WAITING = """SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""


def second_waits(tasks: Tasks, first: dict[str, Any], second: dict[str, Any]) -> tuple[Any, Future[Any]]:
    """Stores the first part; before it is committed another writer begins with the second one, and waits."""
    one, two = Program(tasks), Program(tasks)

    def send() -> Any:
        with tasks.of_any_thread() as tx:
            return two.store(tx, two.batch(second))

    with ThreadPoolExecutor(1) as pool:
        with tasks.of_any_thread() as tx:
            answer = one.store(tx, one.batch(first))
            sent = pool.submit(send)
            wait_for("the second to wait", lambda: sql(tasks.database, WAITING) or sent.done())
            assert not sent.done(), sent.result()
        return answer, sent


def test_of_two_that_make_a_task_the_second_goes_on_with_it(tasks: Tasks) -> None:
    task_id = str(uuid.uuid4())

    first, second = second_waits(
        tasks,
        new_task(PENDING, task_id=task_id, attempt=None),
        new_task(STARTED, line("x"), task_id=task_id),
    )

    assert "url" in first["tasks"][0] and "url" not in second.result()["tasks"][0]
    assert tasks.statuses(task_id) == ["PENDING", "STARTED"]


def test_a_parent_that_was_heard_of_meanwhile_needs_no_job_type(tasks: Tasks) -> None:
    parent = str(uuid.uuid4())
    Program(tasks).send(new_task(STARTED, parent_id=parent))

    _, second = second_waits(tasks, new_task(STARTED, task_id=parent), part(parent, line("x")))

    assert second.result()["refused"] == []
    assert tasks.state(parent)["task"]["job_type"] == "shop.mail"


def test_what_ended_meanwhile_refuses_its_late_lines(tasks: Tasks) -> None:
    mail = new_task(STARTED)
    Program(tasks).send(mail)

    _, second = second_waits(tasks, part(mail["task_id"], DONE), part(mail["task_id"], line("late")))

    assert [row["title"] for row in second.result()["refused"]] == ["Attempt one is over"]


def test_of_two_attempts_after_the_end_the_second_is_the_next_of_the_first(tasks: Tasks) -> None:
    mail = new_task(STARTED, DONE)
    Program(tasks).send(mail)
    again = [part(mail["task_id"], STARTED, attempt=name) for name in ("two", "three")]

    first, second = second_waits(tasks, *again)

    (made,), (row,) = first["tasks"], second.result()["tasks"]
    assert row["task_id"] == made["task_id"]
    assert tasks.state(made["task_id"])["task"]["attempt"] == 2
