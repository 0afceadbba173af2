"""``orchestrate`` as its users see it: steps run by real workers, and what is asked wrongly is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer


def echo(text: str, **more: Any) -> dict[str, Any]:
    return {"job_type": "test_echo", "params": {"text": text}, **more}


def children(user: User, parent: str) -> list[dict[str, Any]]:
    """In the order of their steps."""
    found: list[dict[str, Any]] = user.get("tasks", parent_id=parent)["tasks"]
    return found[::-1]


@pytest.mark.parametrize("mode", ["sequence", "parallel"])
def test_steps_run_and_their_results_are_the_parents(system: System, user: User, mode: str) -> None:
    viewer = SseViewer(system.url, user, "", room="events")
    viewer.open(0)

    parent = user.start("orchestrate", steps=[echo("a"), echo("b", title="The second")], mode=mode)

    task = user.finished(parent)["task"]
    assert (task["status"], task["progress"]) == ("SUCCESS", 100)
    results = task["result"]["subtask_results"]
    assert [r["result"] for r in results] == [{"text": "a"}, {"text": "b"}]
    assert {c["task_id"] for c in children(user, parent)} == {r["task_id"] for r in results}
    assert {(c["trigger"], c["parent_id"]) for c in children(user, parent)} == {("subtask", parent)}
    wait_for(
        "the end",
        lambda: [e for e in viewer.events if e["type"] == "task_completed" and e["task_id"] == parent],
    )
    viewer.close()
    (end,) = [e for e in viewer.events if e["type"] == "task_completed" and e["task_id"] == parent]
    assert end["subtask_results"] == results
    events = user.events(parent)
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))


def test_the_progress_of_a_running_step_is_seen_at_the_parent(user: User) -> None:
    parent = user.start("orchestrate", steps=[{"job_type": "test_half"}])
    (child,) = wait_for("the step", lambda: children(user, parent))

    half = wait_for("half of it", lambda: s if (s := user.status(parent))["task"]["progress"] == 50 else None)

    assert half["phases"][0]["processed_count"] == 50
    assert user.client.post(f"/api/v2/tasks/{parent}/cancel").status_code == 202
    assert user.finished(parent)["task"]["status"] == "REVOKED"
    assert user.status(child["task_id"])["task"]["status"] == "REVOKED"


def test_a_step_asks_before_and_while_it_runs(user: User) -> None:
    steps = [echo("a", approval={"title": "Begin?"}), {"job_type": "test_approval"}]
    parent = user.start("orchestrate", steps=steps)

    def approve(step: int, key: str) -> None:
        child = wait_for("the step", lambda: children(user, parent)[step:])[0]["task_id"]
        wait_for(key, lambda: (user.status(child)["approval"] or {}).get("key") == key)
        assert user.client.post(f"/api/v2/tasks/{child}/approve").status_code == 202

    approve(0, "start")
    approve(1, "send")
    wait_for("the parent's word", lambda: "Waits for" in user.status(parent)["phases"][1]["message"])
    approve(1, "pay")

    assert user.finished(parent)["task"]["status"] == "SUCCESS"


def test_a_step_is_tried_again_as_its_job_says_and_then_fails_the_whole(user: User) -> None:
    parent = user.start(
        "orchestrate",
        steps=[{"job_type": "test_retry", "params": {"count": 1}}, {"job_type": "test_fail"}, echo("never")],
    )

    task = user.finished(parent)["task"]

    assert (task["status"], task["error"]["message"]) == ("FAILURE", "Step 2 (test_fail): as asked")
    assert [(c["status"], c["retry_count"]) for c in children(user, parent)] == [
        ("SUCCESS", 1),
        ("FAILURE", 0),
    ]


def test_a_retry_runs_all_steps_again(user: User) -> None:
    parent = user.start("orchestrate", steps=[echo("a"), {"job_type": "test_fail"}])
    user.finished(parent)

    again = user.client.post(f"/api/v2/tasks/{parent}/retry").json()["task_id"]

    assert user.finished(again)["task"]["status"] == "FAILURE"
    assert len(children(user, again)) == 2 and len(children(user, parent)) == 2


def test_the_active_task_is_the_parent(user: User) -> None:
    parent = user.start("orchestrate", steps=[{"job_type": "test_endless"}])
    wait_for("the step", lambda: children(user, parent))

    assert user.get("agent/active")["active"]["task"]["task_id"] == parent

    user.client.post(f"/api/v2/tasks/{parent}/cancel")
    user.finished(parent)


def deep(levels: int) -> dict[str, Any]:
    params: dict[str, Any] = {"steps": [echo("x")]}
    for _ in range(levels - 1):
        params = {"steps": [{"job_type": "orchestrate", "params": params}]}
    return params


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "params.steps"),
        ({"steps": []}, "params.steps"),
        ({"steps": "x"}, "params.steps"),
        ({"steps": [None]}, "params.steps.0"),
        ({"steps": [echo("x")] * 101}, "params.steps"),
        ({"steps": [echo("x")], "mode": "random"}, "params.mode"),
        ({"steps": [echo("x"), {"job_type": "none"}]}, "params.steps.1.job_type"),
        ({"steps": [{"job_type": "artifact", "params": {}}]}, "params.steps.0.params.content"),
        ({"steps": [echo("x", approval={"title": ""})]}, "params.steps.0.approval.title"),
        ({"steps": [echo("x", on_failure="perhaps")]}, "params.steps.0.on_failure"),
        (deep(4), "params.steps"),
    ],
)
def test_what_is_asked_wrongly_is_named(user: User, params: dict[str, Any], field: str) -> None:
    response = user.client.post("/api/v2/agent/start", json={"job_type": "orchestrate", "params": params})

    assert response.status_code == 422, response.text
    assert any(name.startswith(field) for name in response.json()["errors"]), response.json()


def test_steps_within_steps_without_end_are_refused(user: User) -> None:
    opening, closing = '{"steps": [{"job_type": "orchestrate", "params": ', "}]}"
    params = opening * 300 + "{}" + closing * 300

    response = user.client.post(
        "/api/v2/agent/start",
        content='{"job_type": "orchestrate", "params": ' + params + "}",
        headers={"Content-Type": "application/json"},
    )

    assert response.status_code in (400, 422), response.text


def test_steps_within_steps(user: User) -> None:
    parent = user.start("orchestrate", **deep(3))

    task = user.finished(parent)["task"]

    assert task["status"] == "SUCCESS"
    (inner,) = task["result"]["subtask_results"]
    assert inner["result"]["subtask_results"][0]["result"]["subtask_results"][0]["result"] == {"text": "x"}
