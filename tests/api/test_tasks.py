from __future__ import annotations

import uuid
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


def test_the_list_is_newest_first_and_the_callers_own(user: User, other: User) -> None:
    made = [user.start("test_echo") for _ in range(3)]
    other.start("test_echo")

    page = user.get("tasks")

    assert [task["task_id"] for task in page["tasks"]] == made[::-1]
    assert page["next"] is None
    assert page["tasks"][0].keys() == user.status(made[0])["task"].keys()


def test_pages_have_no_gap_and_no_repeat_while_new_tasks_come_in(user: User) -> None:
    made = [user.start("test_echo") for _ in range(7)]
    seen: list[str] = []
    address = "/api/v2/tasks?limit=2&job_type=test_echo"
    while address:
        answer = user.client.get(address)
        seen += [task["task_id"] for task in answer.json()["tasks"]]
        user.start("test_echo")
        link = answer.links.get("next")
        assert bool(link) == bool(answer.json()["next"])
        address = link["url"] if link else ""
        assert not link or {"limit=2", "job_type=test_echo"} <= set(address.partition("?")[2].split("&"))

    assert seen == made[::-1]


def test_pages_part_tasks_of_the_same_moment(system: System, user: User) -> None:
    made = [user.start("test_echo") for _ in range(4)]
    system.sql("UPDATE tasks SET created_at = '2020-01-01' WHERE user_id = %s", user.id)

    first = user.get("tasks", limit=3)
    second = user.get("tasks", limit=3, cursor=first["next"])

    assert sorted(task["task_id"] for task in first["tasks"] + second["tasks"]) == sorted(made)


def test_filters_narrow_the_list(system: System, user: User) -> None:
    echo, failed = user.start("test_echo"), user.start("test_fail")
    user.finished(echo), user.finished(failed)
    system.sql("UPDATE tasks SET parent_id = %s WHERE id = %s", echo, failed)

    def ids(**filters: str) -> list[str]:
        return [task["task_id"] for task in user.get("tasks", **filters)["tasks"]]

    assert ids(status="SUCCESS") == [echo]
    assert ids(status="REVOKED") == []
    assert ids(job_type="test_fail") == [failed]
    assert ids(parent_id=echo) == [failed]
    assert ids(parent_id=echo, status="SUCCESS") == []
    assert ids(parent_id=str(uuid.uuid4())) == []


def test_the_snapshot_is_the_task_as_of_its_sequence(user: User) -> None:
    task_id = user.start("test_phases", count=6)

    found = user.finished(task_id)

    assert found.keys() == {"task", "phases", "recent_logs", "celery", "sequence"}
    assert found["sequence"] == user.events(task_id)[-1]["sequence"]
    assert [(p["phase_id"], p["processed_count"], p["error_count"]) for p in found["phases"]] == [
        ("first", 6, 2),
        ("second", 6, 0),
    ]
    assert found["celery"]["state"] == found["task"]["status"] == "SUCCESS"
    assert found["task"]["progress"] == 100


def test_events_are_dense_and_pages_join(user: User) -> None:
    task_id = user.start("test_phases", count=20)
    user.finished(task_id)
    whole = user.events(task_id)

    joined, address = [], f"/api/v2/tasks/{task_id}/events?limit=3"
    while address:
        answer = user.client.get(address)
        joined += answer.json()["events"]
        address = answer.links["next"]["url"] if answer.json()["has_more"] else ""

    assert joined == whole
    assert [event["sequence"] for event in whole] == list(range(1, len(whole) + 1))
    for event in whole:
        assert event.keys() == {"sequence", "type", "timestamp", "data"}
        assert event["data"]["sequence"] == event["sequence"]
        assert event["data"]["stream"] == f"task:{task_id}"
        assert event["timestamp"] == event["data"]["timestamp"]
    last = user.get(f"tasks/{task_id}/events", since_sequence=len(whole))
    assert last == {"events": [], "next_sequence": len(whole), "has_more": False}


def test_a_cursor_that_cannot_be_answered_says_why(system: System, user: User) -> None:
    task_id = user.start("test_phases")
    head = user.finished(task_id)["sequence"]

    beyond = user.get(f"tasks/{task_id}/events", since_sequence=head + 1)["resync"]
    system.sql("UPDATE streams SET pruned_to = 2 WHERE name = %s", f"task:{task_id}")
    pruned = user.get(f"tasks/{task_id}/events", since_sequence=1)

    assert (beyond["reason"], beyond["oldest"], beyond["head"]) == ("beyond_head", 1, head)
    assert (pruned["resync"]["reason"], pruned["resync"]["oldest"]) == ("pruned", 3)
    assert pruned["events"][0]["sequence"] == 3


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
    assert user.finished(task_id, 10)["task"]["status"] == "REVOKED"
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
