"""What the list of a task's children says of everything below the task."""

from __future__ import annotations

import uuid
from typing import Any

from bench.hostile.ground import finished_tasks
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, new_task, status
from tests.support.system import System, User

NO_ROOM = status("FAILURE", error={"type": "OSError", "message": "no room"})


def below(user: User, task_id: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = user.get("tasks", parent_id=task_id, **more)["below"]
    return found


def test_a_failed_body_of_a_chord_is_seen_from_the_group_that_succeeded(user: User) -> None:
    group = str(uuid.uuid4())
    first, last = (new_task(STARTED, DONE, group_id=group) for _ in range(2))
    body = new_task(STARTED, NO_ROOM, title="Chord body: shop.total", parent_id=last["task_id"])
    mail = new_task(PENDING, attempt=None, parent_id=body["task_id"])

    Reporter(user).accepted(first, last, body, mail)

    failure = {"task_id": body["task_id"], "title": "Chord body: shop.total", "job_type": "shop.mail"}
    assert below(user, group) == {
        "tasks": 4,
        "open": 1,
        "failed": 1,
        "failures": [failure | {"message": "OSError: no room"}],
        "complete": True,
    }
    assert below(user, body["task_id"]) == {
        "tasks": 1,
        "open": 1,
        "failed": 0,
        "failures": [],
        "complete": True,
    }


def test_the_newest_three_failures_are_named(user: User) -> None:
    root = new_task(STARTED)
    failed = [new_task(STARTED, NO_ROOM, parent_id=root["task_id"]) for _ in range(4)]
    reporter = Reporter(user)
    reporter.accepted(root)

    for each in failed:
        reporter.accepted(each)

    found = below(user, root["task_id"])
    assert (found["tasks"], found["failed"]) == (4, 4)
    assert [row["task_id"] for row in found["failures"]] == [each["task_id"] for each in failed[:0:-1]]


def test_only_lists_of_children_have_it_and_only_their_first_page(user: User) -> None:
    root = new_task(STARTED)
    children = [new_task(STARTED, parent_id=root["task_id"]) for _ in range(2)]
    Reporter(user).accepted(root, *children)

    first = user.get("tasks", parent_id=root["task_id"], limit=1)
    second = user.get("tasks", parent_id=root["task_id"], limit=1, cursor=first["next"])

    assert "below" in first and "below" not in second
    assert "below" not in user.get("tasks")


def test_tasks_of_others_do_not_count(user: User, other: User) -> None:
    root = new_task(STARTED)
    Reporter(user).accepted(root, new_task(STARTED, NO_ROOM, parent_id=root["task_id"]))

    assert below(other, root["task_id"])["tasks"] == 0


def test_a_thousand_are_counted(user: User, system: System) -> None:
    root = new_task(STARTED)
    Reporter(user).accepted(root, new_task(STARTED, parent_id=root["task_id"]))
    finished_tasks(system, user, 1_028)
    system.sql(
        "UPDATE tasks SET parent_id = %s WHERE user_id = %s AND parent_id IS NULL AND id <> %s",
        *(root["task_id"], user.id, root["task_id"]),
    )

    found = below(user, root["task_id"], limit=1)

    assert (found["tasks"], found["complete"]) == (1_001, False)


def test_a_list_says_how_many_failed_below_a_task_that_succeeded(user: User) -> None:
    root = new_task(STARTED, DONE)
    child = new_task(STARTED, DONE, parent_id=root["task_id"])
    deep = [new_task(STARTED, NO_ROOM, parent_id=child["task_id"]) for _ in range(2)]
    Reporter(user).accepted(root, child, *deep)

    rows = {row["task_id"]: row["failed_below"] for row in user.get("tasks")["tasks"]}

    assert rows[root["task_id"]] == rows[child["task_id"]] == 2
    assert [rows[each["task_id"]] for each in deep] == [0, 0], "they are shown as failed themselves"
