"""Creating, claiming and cancelling tasks, on a real Postgres."""

from __future__ import annotations

import threading

import pytest

from app.errors import Conflict, NotFound
from app.stream.event import draft, now, task_stream
from app.tasks.creation import Origin
from app.tasks.endings import WORKER_LOST
from app.tasks.fold import TASK_FIELDS
from tests.stream.helpers import in_threads, line
from tests.tasks.helpers import Tasks, folded

NOWHERE = "00000000-0000-4000-8000-000000000009"


def test_a_new_task_is_pending_queued_and_has_its_first_event(tasks: Tasks):
    task_id = tasks.create(title="Named", params={"a": [1, None]}, origin=Origin("scheduled"))

    (first,) = tasks.events(task_id)
    assert first["type"] == "task_status" and first["sequence"] == 1
    assert set(TASK_FIELDS) - {"status_sequence"} <= set(first)
    state = tasks.state(task_id)
    assert state == folded([first]) and state["phases"] == []
    assert (state["task"]["status"], state["task"]["params"]) == ("PENDING", {"a": [1, None]})
    assert tasks.dispatches() == {task_id: (1, 0)} and tasks.leases() == {}


def test_a_claim_starts_the_attempt_and_takes_the_lease(tasks: Tasks):
    task_id = tasks.create()

    claim = tasks.claim(task_id)

    assert claim and (claim.attempt, claim.job_type, claim.params, claim.retry_count) == (
        1,
        "emit_load",
        {"n": 1},
        0,
    )
    assert [e["type"] for e in tasks.events(task_id)] == ["task_status", "task_status", "agent_started"]
    task = tasks.state(task_id)["task"]
    assert (task["status"], task["is_running"], task["worker"], task["attempt"]) == (
        "STARTED",
        True,
        "w@host",
        1,
    )
    assert task["started_at"] == claim.started_at
    assert tasks.dispatches() == {} and tasks.leases() == {task_id: (1, 0)}


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_claim_with_another_number_gets_nothing(tasks: Tasks, number: int):
    task_id = tasks.create()

    assert tasks.claim(task_id, number) is None
    assert tasks.statuses(task_id) == ["PENDING"]


def test_a_late_or_doubled_message_claims_nothing(tasks: Tasks):
    running, ended, retried = tasks.started(), tasks.create(), tasks.started()
    tasks.cancel(ended)
    tasks.end(retried, "RETRY", retry_in=0)

    assert (
        tasks.claim(running) is tasks.claim(ended) is tasks.claim(retried, 1) is tasks.claim(NOWHERE) is None
    )

    again = tasks.claim(retried, 2)
    assert again and again.attempt == 2 and tasks.claim(retried, 2) is None


def test_of_many_claims_at_once_one_wins(tasks: Tasks):
    task_id, won, start = tasks.create(), [], threading.Barrier(8)

    def claims() -> None:
        mine = Tasks(tasks.database)
        start.wait(60)
        won.append(mine.claim(task_id))
        mine.connect.close()

    in_threads([claims] * 8, 120)

    assert len([claim for claim in won if claim]) == 1
    assert tasks.statuses(task_id) == ["PENDING", "STARTED"]


def test_a_retry_keeps_its_first_start_and_begins_its_progress_anew(tasks: Tasks):
    task_id = tasks.create()
    first = tasks.claim(task_id)
    tasks.end(task_id, "RETRY", retry_in=0, retry_count=1, error=WORKER_LOST)
    assert tasks.dispatches() == {task_id: (2, 0)} and tasks.leases() == {}

    second = tasks.claim(task_id, 2)

    assert first and second and second.started_at == first.started_at and second.retry_count == 1
    task = tasks.state(task_id)["task"]
    assert (task["progress"], task["error"], task["retry_count"]) == (0, None, 1)


@pytest.mark.parametrize("retried", [False, True])
def test_cancelling_a_queued_task_ends_it_at_once(tasks: Tasks, retried: bool):
    task_id = tasks.create()
    if retried:
        tasks.claim(task_id)
        tasks.end(task_id, "RETRY", retry_in=60)

    done = tasks.cancel(task_id)

    assert done.closed == {task_stream(task_id)}
    task = tasks.state(task_id)["task"]
    assert task["status"] == "REVOKED" and task["finished_at"]
    assert task["error"]["message"] == "Cancelled by a@example.org"
    assert tasks.dispatches() == tasks.leases() == {} and tasks.claim(task_id, 2) is None


def test_cancelling_a_task_that_waits_for_approval_ends_it_at_once(tasks: Tasks):
    task_id = tasks.create()
    tasks.append(
        [
            draft(
                task_stream(task_id),
                "task_status",
                {"timestamp": now(), "status": "WAITING", "updated_at": now()},
            )
        ]
    )
    assert tasks.dispatches() == {}

    assert tasks.cancel(task_id).closed


def test_cancelling_a_running_task_asks_it_once(tasks: Tasks):
    task_id = tasks.started()
    tasks.open_phase(task_id)

    asked, again = tasks.cancel(task_id), tasks.cancel(task_id)

    assert [e.type for e in asked.events] == ["log"] and again.events == []
    assert asked.events[0].decoded()["message"] == "Cancel requested by a@example.org"
    assert asked.events[0].phase == "read"
    assert tasks.append([line(task_stream(task_id), "still here", 1)]).cancel_requested == {
        task_stream(task_id)
    }
    assert tasks.state(task_id)["task"]["status"] == "STARTED"


def test_a_cancel_that_comes_after_a_retry_stops_the_next_attempt(tasks: Tasks):
    task_id = tasks.started()
    tasks.cancel(task_id)
    tasks.end(task_id, "RETRY", retry_in=0)

    assert tasks.claim(task_id, 2)

    assert tasks.append([line(task_stream(task_id), "on", 2)]).cancel_requested == {task_stream(task_id)}


@pytest.mark.parametrize("status", ["FAILURE", "REVOKED", "SUCCESS"])
def test_an_ended_task_cannot_be_cancelled(tasks: Tasks, status: str):
    task_id = tasks.started()
    tasks.end(task_id, status)

    with pytest.raises(Conflict, match=status):
        tasks.cancel(task_id)


def test_an_unknown_task_cannot_be_cancelled(tasks: Tasks):
    with pytest.raises(NotFound):
        tasks.cancel(NOWHERE)
