"""The tree of a task: what is below it, level by level and page by page."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, new_task, status
from tests.support.cursors import forged
from tests.support.system import System, User, wait_for

ECHO = {"job_type": "test_echo"}
ASKS = {"title": "Publish", "risk_level": "high", "estimated_cost": 2.5}


def tree(user: User, task_id: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = user.get(f"tasks/{task_id}/tree", **more)
    return found


def ids(page: dict[str, Any]) -> list[str]:
    return [row["task_id"] for row in page["tasks"]]


def test_the_steps_of_an_orchestration_are_in_their_order_and_those_below_follow(user: User) -> None:
    within = {"job_type": "orchestrate", "title": "Both", "params": {"steps": [ECHO | {"title": "in"}, ECHO]}}
    steps = [ECHO | {"title": "first"}, within, ECHO | {"title": "asks", "approval": ASKS}]
    task_id = user.start("orchestrate", steps=steps, mode="parallel")
    wait_for("the steps within", lambda: len(tree(user, task_id)["tasks"]) == 5)
    wait_for("their end", lambda: tree(user, task_id)["below"]["open"] == 1)

    page = tree(user, task_id)

    first, both, asks, inner, last = page["tasks"]
    assert [row["title"] for row in page["tasks"][:4]] == ["first", "Both", "asks", "in"]
    assert [row["step"] for row in page["tasks"]] == [1, 2, 3, 1, 2]
    assert inner["parent_id"] == last["parent_id"] == both["task_id"]
    assert both["steps"] == [
        {"job_type": "test_echo", "title": "in"},
        {"job_type": "test_echo", "title": None},
    ]
    assert both["children"] == {"tasks": 2, "ended": 2, "failed": 0}
    assert asks["approval"] == ASKS | {"key": "start"}
    assert first["approval"] is None and first["steps"] is None and first["waits"] == []
    ((asked_at, decided_at),) = asks["waits"]
    assert asked_at >= asks["created_at"] and decided_at is None
    assert page["next"] is None and page["below"]["tasks"] == 5
    assert not {"params", "result", "plan", "usual"} & first.keys()
    answer = user.client.post(f"/api/v2/tasks/{asks['task_id']}/approve")
    assert answer.status_code == 202, answer.text
    user.finished(asks["task_id"])
    done = tree(user, task_id)["tasks"][2]
    ((_, decided_at),) = done["waits"]
    assert done["approval"] is None and asked_at < decided_at <= done["started_at"]


def test_pages_go_on_where_the_one_before_ended(user: User) -> None:
    root = new_task(STARTED)
    children = [new_task(STARTED, DONE, parent_id=root["task_id"]) for _ in range(5)]
    reporter = Reporter(user)
    for part in (root, *children):
        reporter.accepted(part)

    first = tree(user, root["task_id"], limit=2)
    second = tree(user, root["task_id"], limit=2, cursor=first["next"])
    third = tree(user, root["task_id"], limit=2, cursor=second["next"])

    assert [*ids(first), *ids(second), *ids(third)] == [child["task_id"] for child in children]
    assert third["next"] is None and "below" in first and "below" not in second


def test_of_a_task_further_below_the_first_twenty_children_are_there(user: User) -> None:
    root, child = new_task(STARTED), new_task(STARTED)
    child["parent_id"] = root["task_id"]
    below = [new_task(STARTED, parent_id=child["task_id"]) for _ in range(25)]
    Reporter(user).accepted(root, child, *below)

    page = tree(user, root["task_id"])

    assert len(page["tasks"]) == 21
    assert page["tasks"][0]["children"]["tasks"] == 25
    assert len(tree(user, child["task_id"])["tasks"]) == 25


def test_an_error_is_cut_and_has_no_traceback(user: User) -> None:
    error = {"type": "ValueError", "message": "x" * 1000, "traceback": "Traceback", "phase": None}
    root, child = new_task(STARTED), new_task(STARTED, status("FAILURE", error=error))
    child["parent_id"] = root["task_id"]
    Reporter(user).accepted(root, child)

    (row,) = tree(user, root["task_id"])["tasks"]

    assert row["error"] == {"type": "ValueError", "message": "x" * 300}
    assert row["status"] == "FAILURE"


def test_of_a_run_that_one_reads_one_sees_what_one_may_read(system: System) -> None:
    worker, operator = (system.user(tenant="acme", role=role) for role in ("worker", "operator"))
    with closing(worker.client), closing(operator.client):
        root, mine, other = new_task(STARTED), new_task(STARTED), new_task(STARTED, owner=operator.email)
        mine["parent_id"] = other["parent_id"] = root["task_id"]
        Reporter(worker).accepted(root, mine, other)

        seen = tree(worker, root["task_id"])

        assert ids(seen) == [mine["task_id"]] and seen["below"]["tasks"] == 1
        assert {*ids(tree(operator, root["task_id"]))} == {mine["task_id"], other["task_id"]}


def test_only_failed_children_where_that_is_asked(user: User) -> None:
    root = new_task(STARTED)
    children = [new_task(STARTED, end) for end in (DONE, status("FAILURE"), DONE, status("FAILURE"))]
    for child in children:
        child["parent_id"] = root["task_id"]
    Reporter(user).accepted(root, *children)

    first = tree(user, root["task_id"], failed="true", limit=1)
    second = tree(user, root["task_id"], failed="true", limit=1, cursor=first["next"])

    failed = {children[1]["task_id"], children[3]["task_id"]}
    assert {*ids(first), *ids(second)} == failed and second["next"] is None


def test_what_comes_after_a_task_is_beside_it_as_its_reporter_said_last(user: User) -> None:
    root, child, reporter = new_task(PENDING, attempt=None), new_task(STARTED), Reporter(user)
    child["parent_id"] = root["task_id"]
    known = str(uuid.uuid4())
    first = [{"step": 1, "job_type": "shop.pack", "task_id": "pack 7", "count": 3}]
    then = [
        {"step": 1, "job_type": "shop.pack", "task_id": known},
        {"step": 2, "job_type": "shop.send", "chord": True},
    ]
    (row,) = reporter.accepted(root | {"ahead": first})
    before = tree(user, row["task_id"])["ahead"]
    reporter.accepted(
        root | {"attempt": "one", "events": [STARTED], "ahead": then}, child | {"ahead": then[1:]}
    )
    reporter.accepted(root | {"ahead": first})  # the sender was slower than the worker

    page = tree(user, row["task_id"])

    assert [(part["job_type"], part["count"], len(part["task_id"])) for part in before] == [
        ("shop.pack", 3, 36)
    ]
    body = {"step": 2, "job_type": "shop.send", "task_id": None, "count": 1, "chord": True}
    assert page["ahead"] == [then[0] | {"count": 1, "chord": False}, body]
    assert page["tasks"][0]["ahead"] == [body]
    assert "ahead" not in user.status(row["task_id"])["task"]


def test_what_comes_after_a_task_is_bounded_and_what_makes_no_sense_is_left_out(user: User) -> None:
    long, odd = new_task(STARTED), new_task(STARTED)
    parts = [{"step": n, "job_type": "x" * 500} for n in range(1, 100)]

    _, row = Reporter(user).accepted(long | {"ahead": parts}, odd | {"ahead": [{"step": "soon"}]})

    stored = tree(user, long["task_id"])["ahead"]
    assert (len(stored), {len(part["job_type"]) for part in stored}) == (24, {155})
    assert tree(user, odd["task_id"])["ahead"] is None
    assert row["warnings"] == {"ahead": ["Not of its kind, and left out."]}


def test_a_stranger_gets_404_and_a_wrong_cursor_422(system: System, user: User) -> None:
    task_id = user.start("test_echo")

    with closing(system.user().client) as stranger:
        assert stranger.get(f"/api/v2/tasks/{task_id}/tree").status_code == 404
    assert user.client.get(f"/api/v2/tasks/{uuid.uuid4()}/tree").status_code == 404
    path, behind = f"/api/v2/tasks/{task_id}/tree", ("2026-01-01T00:00:00Z", task_id)
    # Steps that no column holds.
    for cursor in ("x", *(forged(path, step, *behind) for step in (float("inf"), 99_999_999_999, -1))):
        problem(user.client.get(path, params={"cursor": cursor}), 422, "cursor")
    assert user.client.get(path, params={"cursor": forged(path, 1, *behind)}).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [(None, "Rejected by {by}"), ({"reason": " too dear "}, "Rejected by {by}: too dear")],
)
def test_a_rejection_may_say_why(user: User, body: Any, message: str) -> None:
    task_id = user.start("test_approval")
    wait_for("its question", lambda: user.status(task_id)["task"]["status"] == "WAITING")

    answer = (
        user.client.post(f"/api/v2/tasks/{task_id}/reject", json=body)
        if body
        else user.client.post(f"/api/v2/tasks/{task_id}/reject")
    )

    assert answer.status_code == 202
    assert user.status(task_id)["task"]["error"]["message"] == message.format(by=user.email)
