from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.answers import problem
from tests.support.system import System, User, wait_for

TERMINAL = ("SUCCESS", "FAILURE", "REVOKED")


def running(user: User, job_type: str = "test_endless") -> str:
    task_id = user.start(job_type)
    wait_for("the task to run", lambda: user.status(task_id)["task"]["status"] == "STARTED")
    return task_id


def act(user: User, task_id: str, what: str) -> Any:
    return user.client.post(f"/api/v2/tasks/{task_id}/{what}")


def waiting(system: System, user: User) -> str:
    """A task that waits, and for which there is no message that a worker could claim."""
    task_id = user.start("test_echo")
    user.finished(task_id)
    system.sql("UPDATE tasks SET status = 'PENDING', finished_at = NULL WHERE id = %s", task_id)
    system.sql("UPDATE streams SET closed = false WHERE name = %s", f"task:{task_id}")
    return task_id


def test_cancel_ends_a_task_that_waits_at_once(system: System, user: User) -> None:
    task_id = waiting(system, user)

    answer = act(user, task_id, "cancel")

    assert (answer.status_code, answer.json()) == (202, {"task_id": task_id, "status": "REVOKED"})
    assert user.status(task_id)["task"]["error"]["type"] == "Cancelled"
    problem(act(user, task_id, "cancel"), 409)


def test_cancel_stops_a_task_that_runs_once(user: User) -> None:
    task_id = running(user)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: act(user, task_id, "cancel"), range(4)))

    # Whoever asks after the task has stopped is told so.
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert any(answer.status_code == 202 for answer in answers)
    assert user.finished(task_id)["task"]["status"] == "REVOKED"
    events = user.events(task_id)
    ends = [e for e in events if e["type"] == "task_status" and e["data"]["status"] in TERMINAL]
    assert ends == events[-1:]
    assert sum(e["data"].get("message", "").startswith("Cancel requested") for e in events) == 1


def test_cancel_of_a_running_task_may_be_asked_twice(system: System, user: User) -> None:
    task_id = waiting(system, user)
    system.sql("UPDATE tasks SET status = 'STARTED' WHERE id = %s", task_id)

    assert [act(user, task_id, "cancel").status_code for _ in range(2)] == [202, 202]

    system.sql("UPDATE tasks SET status = 'PENDING' WHERE id = %s", task_id)
    assert act(user, task_id, "cancel").status_code == 202


@pytest.mark.parametrize("job_type", ["test_echo", "test_fail"])
def test_cancel_of_what_has_ended_is_409_with_the_reason(user: User, job_type: str) -> None:
    task_id = user.start(job_type)
    status = user.finished(task_id)["task"]["status"]

    assert status in problem(act(user, task_id, "cancel"), 409)["detail"]


def test_retry_makes_a_new_task_of_the_same_kind(user: User) -> None:
    made = {"job_type": "test_fail", "params": {"text": "x"}, "title": "Mine", "intent": "try"}
    task_id = user.client.post("/api/v2/agent/start", json=made).json()["task_id"]
    old = user.finished(task_id)["task"]

    answer = act(user, task_id, "retry")

    new = user.finished(answer.json()["task_id"])["task"]
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v2/tasks/{new['task_id']}/status"
    assert new["task_id"] != task_id
    assert (new["retry_of"], new["trigger"]) == (task_id, "retry")
    kept = ("job_type", "params", "title", "intent", "user_id")
    assert [new[name] for name in kept] == [old[name] for name in kept]
    assert user.status(task_id)["task"] == old, "the old one stays as it was"


def test_retry_of_what_has_not_ended_is_409(system: System, user: User) -> None:
    task_id = waiting(system, user)

    assert "PENDING" in problem(act(user, task_id, "retry"), 409)["detail"]
    assert act(user, task_id, "cancel").status_code == 202


@pytest.mark.parametrize("what", ["cancel", "retry"])
def test_somebody_elses_task_is_404_and_unharmed(user: User, other: User, what: str) -> None:
    task_id = user.start("test_echo")
    before = user.finished(task_id)

    problem(act(other, task_id, what), 404)

    assert user.status(task_id) == before
    assert other.get("tasks")["tasks"] == []
