"""The events of tasks on their owner's stream."""

from __future__ import annotations

from typing import Any

import pytest

from app.stream.event import draft, now, task_stream
from app.tasks import lifecycle
from tests.stream.helpers import sql
from tests.tasks.families import owner_events
from tests.tasks.helpers import Tasks


def types(tasks: Tasks) -> list[str]:
    return [event["type"] for event in owner_events(tasks)]


def test_a_retry_changes_the_status_and_notifies_nobody(tasks: Tasks) -> None:
    task_id = tasks.started()

    tasks.end(task_id, "RETRY", error={"type": "X", "message": "x", "traceback": None}, retry_count=1)
    tasks.claim(task_id, 2)
    tasks.end(task_id, attempt=2, retry_count=1)

    changes = [
        (e["previous_status"], e["status"]) for e in owner_events(tasks) if e["type"] == "status_changed"
    ]
    assert changes == [
        ("PENDING", "STARTED"),
        ("STARTED", "RETRY"),
        ("RETRY", "STARTED"),
        ("STARTED", "SUCCESS"),
    ]
    assert types(tasks).count("task_completed") == 1
    notices = [e["notification_type"] for e in owner_events(tasks) if e["type"] == "notification"]
    assert notices == ["generation_complete"]


@pytest.mark.parametrize(("status", "success"), [("SUCCESS", True), ("FAILURE", False), ("REVOKED", False)])
def test_every_end_is_one_event_of_the_owner(tasks: Tasks, status: str, success: bool) -> None:
    task_id = tasks.started()
    error = None if success else {"type": "X", "message": "why it ended", "traceback": None}

    tasks.end(task_id, status, error=error)
    tasks.end(task_id, status, error=error)

    (completed,) = [e for e in owner_events(tasks) if e["type"] == "task_completed"]
    assert (completed["task_id"], completed["status"], completed["success"]) == (task_id, status, success)
    assert owner_events(tasks)[-1]["message"] == ("" if success else "why it ended")


def test_late_events_of_a_lost_worker_do_not_reach_the_owner(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.expire_lease(task_id, retry=True)
    tasks.claim(task_id, 2)
    before = types(tasks)

    tasks.end(task_id, attempt=1)

    assert types(tasks) == before


def test_a_task_that_waits_and_is_cancelled_never_started(tasks: Tasks) -> None:
    task_id = tasks.create()

    tasks.cancel(task_id)

    assert types(tasks) == ["task_created", "task_completed", "status_changed", "notification"]


def test_log_lines_do_not_reach_the_owner(tasks: Tasks) -> None:
    task_id = tasks.started()
    before = types(tasks)

    line = {"timestamp": now(), "level": "ERROR", "message": "x", "component": None, "phase": None}
    tasks.append([draft(task_stream(task_id), "log", line, attempt=1, projected=False)])
    tasks.open_phase(task_id)

    assert types(tasks) == before


PARAMS = {"artifact_type": "quiz", "notebook_id": "session123", "content": "x"}
ERROR = {"type": "X", "message": "Validation failed after 2 repair attempts", "traceback": None}


def artifact(tasks: Tasks) -> list[dict[str, Any]]:
    return [e for e in owner_events(tasks) if e["type"].startswith("artifact.")]


def test_an_artifact_has_events_of_its_own(tasks: Tasks) -> None:
    task_id = tasks.create(job_type="artifact", params=PARAMS)
    tasks.claim(task_id)
    tasks.open_phase(task_id, "plan", progress=30)
    tasks.open_phase(task_id, "plan", progress=30)
    tasks.end(task_id, result={"questions": ["?"]})

    events = artifact(tasks)

    assert [e["type"] for e in events] == ["artifact.started", "artifact.progress", "artifact.completed"]
    assert all(
        (e["job_id"], e["artifact_type"], e["notebook_id"]) == (task_id, "quiz", "session123") for e in events
    )
    assert events[1]["progress"] == 30 and events[2]["result"] == {"questions": ["?"]}


def test_an_artifact_fails_once_after_its_last_retry(tasks: Tasks) -> None:
    task_id = tasks.create(job_type="artifact", params=PARAMS)
    tasks.claim(task_id)
    tasks.end(task_id, "RETRY", error=ERROR, retry_count=1)
    tasks.claim(task_id, 2)
    tasks.end(task_id, "FAILURE", attempt=2, error=ERROR, retry_count=1)

    started, failed = artifact(tasks)

    assert (started["type"], failed["type"]) == ("artifact.started", "artifact.failed")
    assert (failed["error"], failed["retry_count"]) == (ERROR["message"], 1)


def test_an_artifact_can_be_cancelled(tasks: Tasks) -> None:
    task_id = tasks.create(job_type="artifact", params=PARAMS)

    tasks.cancel(task_id)

    assert [e["type"] for e in artifact(tasks)] == ["artifact.cancelled"]


def test_the_owners_events_are_in_the_tasks_transaction(tasks: Tasks) -> None:
    with tasks.transaction() as tx:
        lifecycle.create(tx, user_id=tasks.user_id, job_type="x", title="x", intent="x", params={})
        tx.cur.connection.rollback()

    assert not sql(tasks.database, "SELECT 1 FROM streams")
