"""Celery's life cycle as a viewer of the task sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.system import System, User, wait_for

TERMINAL = ("SUCCESS", "FAILURE", "REVOKED")


def statuses(events: list[dict[str, Any]]) -> list[str]:
    """The statuses a task went through, repeats left out."""
    found = [e["data"]["status"] for e in events if e["type"] == "task_status"]
    return [s for i, s in enumerate(found) if i == 0 or found[i - 1] != s]


def terminal(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [e["data"] for e in events if e["type"] == "task_status" and e["data"]["status"] in TERMINAL]


def test_a_task_that_succeeds(user: User) -> None:
    task_id = user.start("test_echo", text="hello")
    task = user.finished(task_id)["task"]
    events = user.events(task_id)
    assert (task["status"], task["result"], task["error"], task["progress"]) == (
        "SUCCESS",
        {"text": "hello"},
        None,
        100,
    )
    assert statuses(events) == ["PENDING", "STARTED", "SUCCESS"]
    assert [e["type"] for e in events][-2:] == ["agent_completed", "task_status"]
    completed = events[-2]["data"]
    assert (completed["agent_type"], completed["success"]) == ("test_echo", True)
    assert completed["execution_time_ms"] > 0
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))


def test_a_task_that_fails_tells_why_and_ends_its_phase(user: User) -> None:
    task_id = user.start("test_fail", text="no such luck")
    snapshot = user.finished(task_id)
    error = snapshot["task"]["error"]
    assert (snapshot["task"]["status"], error["type"], error["message"]) == (
        "FAILURE",
        "ValueError",
        "no such luck",
    )
    assert "raise ValueError" in error["traceback"]
    assert [(p["phase_id"], p["status"], p["message"]) for p in snapshot["phases"]] == [
        ("doomed", "error", "no such luck")
    ]
    assert len(terminal(user.events(task_id))) == 1


def test_a_retry_is_seen_and_counted_until_it_succeeds(user: User) -> None:
    task_id = user.start("test_retry", count=2)
    task = user.finished(task_id)["task"]
    assert (task["status"], task["retry_count"], task["attempt"], task["result"]) == (
        "SUCCESS",
        2,
        3,
        "at last",
    )
    assert task["error"] is None
    assert statuses(user.events(task_id)) == [
        "PENDING",
        "STARTED",
        "RETRY",
        "STARTED",
        "RETRY",
        "STARTED",
        "SUCCESS",
    ]


def test_retries_that_are_used_up_end_in_failure_with_the_reason(user: User) -> None:
    task_id = user.start("test_retry", count=9)
    task = user.finished(task_id)["task"]
    assert (task["status"], task["retry_count"], task["error"]["message"]) == ("FAILURE", 2, "not yet")
    assert len(terminal(user.events(task_id))) == 1


def test_an_exception_the_job_retries_for(user: User) -> None:
    task = user.finished(user.start("test_retry_for"))["task"]
    assert (task["status"], task["retry_count"], task["error"]["type"]) == ("FAILURE", 1, "ConnectionError")


@pytest.mark.parametrize(
    ("job_type", "kind"), [("test_exit", "SystemExit"), ("test_unstorable", "TypeError")]
)
def test_what_no_job_should_do_fails_the_task_and_not_the_worker(
    user: User, job_type: str, kind: str
) -> None:
    assert user.finished(user.start(job_type))["task"]["error"]["type"] == kind
    assert user.finished(user.start("test_echo"))["task"]["status"] == "SUCCESS"


@pytest.mark.parametrize("job_type", ["test_endless", "test_stubborn", "test_quiet", "test_cancel_wrapped"])
def test_cancel_of_a_running_task_is_prompt_and_ends_it_once(user: User, job_type: str) -> None:
    task_id = user.start(job_type)
    wait_for("its start", lambda: user.status(task_id)["task"]["is_running"])
    assert user.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 202
    task = user.finished(task_id)["task"]  # of itself it would never end
    assert (task["status"], task["error"]["type"]) == ("REVOKED", "Cancelled")
    events = user.events(task_id)
    assert len(terminal(events)) == 1
    assert any(f"Cancel requested by {user.email}" in str(e["data"].get("message")) for e in events)


def test_cancel_of_a_queued_task_is_immediate_and_it_never_runs(system: System, user: User) -> None:
    running = [user.start("test_endless") for _ in range(2)]
    for task_id in running:
        wait_for("its start", lambda task_id=task_id: user.status(task_id)["task"]["is_running"])
    queued = user.start("test_echo")
    answer = user.client.post(f"/api/v2/tasks/{queued}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "REVOKED")
    for task_id in running:
        user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    user.finished(user.start("test_echo"))  # the worker is past the queued one's message
    assert statuses(user.events(queued)) == ["PENDING", "REVOKED"]


def test_a_doubled_message_runs_the_task_once(system: System, user: User) -> None:
    task_id = user.start("test_echo", text="once")
    user.finished(task_id)
    # The same hint again, as a broker may deliver it.
    celery_send(system, task_id, 1)
    log = system.home / "worker.log"
    wait_for("a worker to take it", lambda: f"task {task_id}: nothing to claim as 1" in log.read_text())
    assert [e["data"]["message"] for e in user.events(task_id) if e["type"] == "log"] == ["once"]


def celery_send(system: System, task_id: str, number: int) -> None:
    from celery import Celery

    with Celery(broker=system.redis_url) as celery:
        celery.send_task("taskroom.run", args=(task_id, number), queue="taskroom")


def test_logging_and_prints_become_log_events(user: User) -> None:
    task_id = user.start("test_logging")
    user.finished(task_id)
    lines = [(x["level"], x["component"], x["message"]) for x in user.get(f"tasks/{task_id}/logs")["logs"]]
    assert ("INFO", "tests.jobs", "from logging") in lines
    assert ("WARNING", "tests.jobs", "careful") in lines
    assert ("ERROR", "tests.jobs", "from a thread") in lines
    (traced,) = [m for _, _, m in lines if m.startswith("with traceback")]
    assert "KeyError: 'inner'" in traced
    assert any(m.strip() == "from print" for _, _, m in lines)


def test_the_older_names_report_the_same(user: User) -> None:
    task_id = user.start("test_emitters")
    snapshot = user.finished(task_id)
    events = user.events(task_id)
    assert snapshot["task"]["status"] == "SUCCESS"
    (cache,) = snapshot["phases"]
    assert (cache["status"], cache["processed_count"], cache["error_count"], cache["duration_seconds"]) == (
        "completed", 2, 1, 0.5,
    )  # fmt: skip
    updates = [e["data"] for e in events if e["type"] == "phase_update"]
    assert (updates[0]["status"], updates[0]["message"]) == ("active", "Caching")
    assert updates[-1]["processed_count"] == 2  # the last is never thinned away
    assert any(e["data"].get("progress") == 40 for e in events)
    assert [x["message"] for x in user.get(f"tasks/{task_id}/logs")["logs"]] == ["half way", "from the class"]


def test_a_forked_child_writes_through_a_writer_of_its_own(user: User) -> None:
    task_id = user.start("test_fork")
    user.finished(task_id)
    assert sorted(x["message"] for x in user.get(f"tasks/{task_id}/logs")["logs"]) == [
        "child", "parent after", "parent before",
    ]  # fmt: skip


def test_items_in_error_are_counted_and_progress_reports_are_thinned(user: User) -> None:
    task_id = user.start("test_phases", count=3000)
    snapshot = user.finished(task_id)
    first, second = snapshot["phases"]
    assert (first["processed_count"], first["total_count"], first["error_count"]) == (3000, 3000, 1000)
    assert (second["processed_count"], second["status"]) == (3000, "completed")
    for phase in (first, second):
        updates = [e["data"] for e in user.events(task_id) if e["type"] == "phase_update"]
        of_phase = [u for u in updates if u["phase_id"] == phase["phase_id"]]
        assert of_phase[0]["status"] == "active"
        assert (of_phase[-1]["status"], of_phase[-1]["processed_count"]) == ("completed", 3000)
        assert len(of_phase) <= 3 + 10 * (phase["duration_seconds"] + 1)


def test_a_task_that_fails_in_a_tracked_loop_has_no_completed_phase(user: User) -> None:
    snapshot = user.finished(user.start("test_track_fails"))
    assert snapshot["task"]["status"] == "FAILURE"
    assert [(p["status"], p["message"]) for p in snapshot["phases"]] == [("error", "in the loop")]


def test_an_odd_name_in_a_result_fails_nobody(user: User) -> None:
    assert user.finished(user.start("test_odd_result"))["task"]["result"] == {"file": "bad ? name"}
