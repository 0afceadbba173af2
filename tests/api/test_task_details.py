"""What a page that watches a task asks for besides its snapshot."""

from __future__ import annotations

import itertools

import pytest

from tests.support.system import System, User, wait_for


def test_throughput_has_first_and_last_and_grows_no_longer_than_a_chart_needs(user: User) -> None:
    task_id = user.start("emit_load", events=1_000, rate=0, message_bytes=60)
    head = user.finished(task_id)["sequence"]
    events = user.events(task_id)

    points = user.get(f"tasks/{task_id}/throughput")["points"]

    assert head > 1_000 and 100 < len(points) <= 120
    assert (points[0][0], points[-1][0]) == (1, head)
    steps = [b[0] - a[0] for a, b in itertools.pairwise(points)]
    assert max(steps) - min(steps) <= 1
    assert points == [[n, events[n - 1]["timestamp"]] for n, _ in points]


@pytest.mark.parametrize(("kept", "expected"), [(0, [1, 2]), (1, [2])])
def test_throughput_of_a_short_or_pruned_task_is_what_is_kept(
    system: System, user: User, waiting: str, kept: int, expected: list[int]
) -> None:
    user.client.post(f"/api/v2/tasks/{waiting}/cancel")
    system.sql("UPDATE streams SET pruned_to = %s WHERE name = %s", kept, f"task:{waiting}")

    points = user.get(f"tasks/{waiting}/throughput")["points"]

    assert [sequence for sequence, _ in points] == expected


def test_approvals_say_what_was_asked_and_who_decided(system: System, user: User) -> None:
    body = {"job_type": "test_approval", "params": {}, "approval": {"title": "May it?", "risk_level": "low"}}
    task_id = user.client.post("/api/v2/agent/start", json=body).json()["task_id"]

    (asked,) = user.get(f"tasks/{task_id}/approvals")["approvals"]
    assert (asked["key"], asked["title"], asked["risk_level"]) == ("start", "May it?", "low")
    assert (asked["approved"], asked["decided_at"], asked["decided_by"]) == (None, None, None)

    user.client.post(f"/api/v2/tasks/{task_id}/approve")
    wait_for("the next question", lambda: (user.status(task_id)["approval"] or {}).get("key") == "send")
    user.client.post(f"/api/v2/tasks/{task_id}/reject")
    first, second = user.get(f"tasks/{task_id}/approvals")["approvals"]
    assert (first["approved"], first["decided_by"]) == (True, user.email)
    assert (second["key"], second["approved"], second["estimated_cost"]) == ("send", False, 1.5)
    assert asked["asked_at"] == first["asked_at"] < first["decided_at"] < second["decided_at"]
