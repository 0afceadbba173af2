"""Approvals as outsiders see them: from a task's code and from its start, to the decision and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer


def waits(user: User, task_id: str, key: str) -> dict[str, Any]:
    """The snapshot of the task that waits for this."""
    return wait_for(  # type: ignore[no-any-return]
        f"the question {key}",
        lambda: s if ((s := user.status(task_id))["approval"] or {}).get("key") == key else None,
    )


def start(user: User, **approval: Any) -> Any:
    body = {"job_type": "test_echo", "params": {"text": "x"}, "approval": approval}
    return user.client.post("/api/v2/agent/start", json=body)


def decide(user: User, task_id: str, word: str) -> int:
    return user.client.post(f"/api/v2/tasks/{task_id}/{word}").status_code


def test_a_task_asks_is_approved_and_goes_on(system: System, user: User) -> None:
    viewer = SseViewer(system.url, user, "", room="events")
    viewer.open(0)
    task_id = user.start("test_approval")

    asked = waits(user, task_id, "send")
    assert asked["task"]["status"] == "WAITING" and asked["task"]["finished_at"] is None
    assert asked["approval"] == {
        "key": "send",
        "title": "Send the mail",
        "risk_level": "high",
        "estimated_cost": 1.5,
    }
    assert decide(user, task_id, "approve") == 202
    waits(user, task_id, "pay")
    assert decide(user, task_id, "approve") == 202

    ended = user.finished(task_id)
    assert (ended["task"]["status"], ended["task"]["result"], ended["approval"]) == ("SUCCESS", "paid", None)
    phases = [e["data"] for e in user.events(task_id) if e["type"] == "phase_update"]
    assert [p["status"] for p in phases if p["phase_id"] == "pay"][-1] != "error"
    logs = [e["data"]["message"] for e in user.events(task_id) if e["type"] == "log"]
    assert "swallowed" not in logs
    wait_for("its end", lambda: [e for e in viewer.events if e["type"] == "task_completed"])
    viewer.close()
    types = [e["type"] for e in viewer.events if e.get("task_id") == task_id]
    assert types[:5] == [
        "task_created",
        "status_changed",
        "agent_started",
        "approval_needed",
        "status_changed",
    ]
    notices = [e for e in viewer.events if e["type"] == "notification" and e["urgent"]]
    assert [n["notification_type"] for n in notices] == ["approval_required"] * 2
    assert not [e for e in viewer.events if e.get("notification_type") == "generation_started"]
    assert notices[0]["title"] == "Approval needed: Send the mail" and notices[0]["related_id"] == task_id


def test_a_start_that_is_to_be_approved_first(user: User) -> None:
    answer = start(user, title="Send email", risk_level="low", estimated_cost=3)

    task_id = answer.json()["task_id"]
    assert answer.status_code == 202 and answer.json() == {
        "task_id": task_id,
        "status": "WAITING",
        "sequence": 2,
    }
    assert waits(user, task_id, "start")["approval"]["title"] == "Send email"
    assert decide(user, task_id, "approve") == 202
    assert user.finished(task_id)["task"]["status"] == "SUCCESS"
    assert decide(user, task_id, "reject") == 409


def test_a_rejected_start_is_no_way_around_by_a_retry(user: User) -> None:
    task_id = start(user, title="Send email").json()["task_id"]
    assert decide(user, task_id, "reject") == 202
    assert user.finished(task_id)["task"]["error"]["message"] == f"Rejected by {user.email}"

    again = user.client.post(f"/api/v2/tasks/{task_id}/retry").json()

    assert (
        again["status"] == "WAITING"
        and waits(user, again["task_id"], "start")["approval"]["title"] == "Send email"
    )
    user.client.post(f"/api/v2/tasks/{again['task_id']}/cancel")


def test_two_clicks_decide_once(user: User) -> None:
    task_id = start(user, title="Send email").json()["task_id"]

    first, second = decide(user, task_id, "approve"), decide(user, task_id, "approve")

    assert (first, second) == (202, 409)
    user.finished(task_id)
    assert len([e for e in user.events(task_id) if e["type"] == "approval_decided"]) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "approval.title"),
        ({"title": ""}, "approval.title"),
        ({"title": "x", "risk_level": "none"}, "approval.risk_level"),
        ({"title": "x", "estimated_cost": -1}, "approval.estimated_cost"),
        ({"title": "x", "more": 1}, "approval.more"),
    ],
)
def test_an_approval_that_makes_no_sense_names_its_field(
    user: User, wrong: dict[str, Any], field: str
) -> None:
    answer = start(user, **wrong)

    assert answer.status_code == 422 and list(answer.json()["errors"]) == [field]


def test_a_cancel_that_comes_before_the_question_ends_the_task(user: User) -> None:
    task_id = user.start("test_asks_late")
    wait_for("it to run", lambda: user.status(task_id)["task"]["status"] == "STARTED")

    assert decide(user, task_id, "cancel") == 202

    assert user.finished(task_id)["task"]["status"] == "REVOKED"
