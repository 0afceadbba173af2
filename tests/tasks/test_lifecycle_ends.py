"""The ends of tasks: one each, with its events in order, on a real Postgres."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.errors import Conflict
from app.stream.event import task_stream
from app.tasks import lifecycle
from app.tasks.fold import TERMINAL
from tests.stream.helpers import in_threads, line, sql
from tests.tasks.helpers import Tasks, folded

NOWHERE = "00000000-0000-4000-8000-000000000009"


def test_events_of_an_earlier_attempt_are_refused(tasks: Tasks):
    task_id = tasks.started()
    tasks.expire_lease(task_id, retry=True)
    assert tasks.claim(task_id, 2)
    before = tasks.events(task_id)

    for zombie in (tasks.end(task_id, "SUCCESS", 1), tasks.append([line(task_stream(task_id), "zombie", 1)])):
        assert zombie.refused == {task_stream(task_id)} and not zombie.events

    assert tasks.events(task_id) == before


def test_events_of_an_attempt_that_was_given_up_are_refused_before_the_next_is_claimed(tasks: Tasks):
    """Its worker was stopped and goes on, while no other is free."""
    task_id = tasks.started()
    tasks.expire_lease(task_id, retry=True)
    before = tasks.events(task_id)

    for zombie in (
        tasks.append([line(task_stream(task_id), "zombie", 1)]),
        tasks.end(task_id, "RETRY", 1, retry_count=1, retry_in=1.0, error=None),
        tasks.end(task_id, "SUCCESS", 1),
    ):
        assert zombie.refused == {task_stream(task_id)} and not zombie.events

    assert tasks.events(task_id) == before
    assert tasks.dispatches() == {task_id: (2, 0)}
    assert tasks.claim(task_id, 2)
    assert tasks.append([line(task_stream(task_id), "the next one", 2)]).events


@pytest.mark.parametrize(
    ("retry", "cancelled", "status", "error"),
    [
        (False, False, "FAILURE", "WorkerLost"),
        (True, False, "RETRY", "WorkerLost"),
        (True, True, "REVOKED", "Cancelled"),
        (False, True, "REVOKED", "Cancelled"),
    ],
)
def test_a_lost_attempt_ends(tasks: Tasks, retry: bool, cancelled: bool, status: str, error: str):
    task_id = tasks.started()
    tasks.open_phase(task_id)
    if cancelled:
        tasks.cancel(task_id)

    done = tasks.expire_lease(task_id, 1, retry)

    state = tasks.state(task_id)
    task = state["task"]
    line = (
        ["log"] if status == "FAILURE" else []
    )  # the status of a retry is a line by itself, and a cancel no failure
    assert [e.type for e in done.by_stream()[task_stream(task_id)]] == [*line, "phase_update", "task_status"]
    assert task["error"]["phase"] == state["phases"][0]["phase_id"]
    assert (task["status"], task["error"]["type"], task["progress"]) == (status, error, 30)
    assert bool(task["finished_at"]) is bool(done.closed) is (status != "RETRY")
    assert (
        state["phases"][0]["status"] == "error" and state["phases"][0]["message"] == task["error"]["message"]
    )
    assert task["retry_count"] == (status == "RETRY")
    assert tasks.dispatches() == ({task_id: (2, 0)} if status == "RETRY" else {}) and tasks.leases() == {}


def test_an_attempt_that_is_over_cannot_be_lost(tasks: Tasks):
    ended, retried, pending = tasks.started(), tasks.started(), tasks.create()
    tasks.end(ended)
    tasks.expire_lease(retried, retry=True)

    assert not any(
        tasks.expire_lease(t, a).events for t, a in ((ended, 1), (retried, 1), (pending, 0), (NOWHERE, 1))
    )


def test_an_attempt_ends_with_why_its_phases_then_itself_then_the_status(tasks: Tasks):
    task_id = tasks.started()
    tasks.open_phase(task_id, "read")
    tasks.open_phase(task_id, "sort")

    tasks.end(
        task_id, "FAILURE", phases=["sort", "read"], error={"type": "E", "message": "why", "traceback": None}
    )

    last = [(e["type"], e.get("phase_id"), e.get("status")) for e in tasks.events(task_id)[-5:]]
    assert last == [
        ("log", None, None),
        ("phase_update", "sort", "error"),
        ("phase_update", "read", "error"),
        ("agent_completed", None, None),
        ("task_status", None, "FAILURE"),
    ]
    assert tasks.state(task_id) == folded(tasks.events(task_id))


@pytest.mark.parametrize("claimed", [False, True])
def test_a_task_that_the_broker_did_not_take_fails_unless_a_worker_has_it(tasks: Tasks, claimed: bool):
    task_id = tasks.started() if claimed else tasks.create()

    with tasks.transaction() as tx:
        ended = lifecycle.fail_undeliverable(tx, task_id)

    assert ended is not claimed
    assert claimed or tasks.state(task_id)["task"]["error"]["type"] == "BrokerUnavailable"


@pytest.mark.slow
def test_a_task_ends_once_when_several_end_it_at_once(tasks: Tasks):
    """A cancel, an expired lease and the worker's own end at the same moment, fifteen times."""
    start, others = threading.Barrier(3, timeout=60), [Tasks(tasks.database) for _ in range(3)]
    task_ids = [tasks.create() for _ in range(15)]
    for n, task_id in enumerate(task_ids):
        if n % 5:  # the others are cancelled while they wait
            tasks.claim(task_id)

    def each(step: Any) -> None:
        for task_id in task_ids:
            start.wait()
            step(task_id)

    def cancels(task_id: str) -> None:
        try:
            others[0].cancel(task_id)
        except Conflict as conflict:
            assert "ended already" in str(conflict)

    in_threads(
        [
            lambda: each(cancels),
            lambda: each(lambda task_id: others[1].expire_lease(task_id)),
            lambda: each(lambda task_id: others[2].end(task_id)),
        ],
        120,
    )

    for task_id in task_ids:
        ends = [status for status in tasks.statuses(task_id) if status in TERMINAL]
        assert len(ends) == 1, tasks.statuses(task_id)
        assert tasks.events(task_id)[-1]["status"] == ends[0]
        assert tasks.state(task_id) == folded(tasks.events(task_id))
    assert tasks.dispatches() == tasks.leases() == {}
    assert sql(
        tasks.database, "SELECT count(*) FROM streams WHERE NOT closed AND starts_with(name, 'task:')"
    ) == [(0,)]
    for other in others:
        other.connect.close()


def test_what_failed_is_a_line_of_its_phase_with_the_traceback(tasks: Tasks):
    trace = "Traceback (most recent call last):\n  ...\nE: why\n"
    failed, retried, untold, cancelled = (tasks.started() for _ in range(4))
    error = {"type": "E", "message": "why", "traceback": trace, "phase": "sort", "source": None}

    tasks.end(failed, "FAILURE", phases=["sort", "read"], error=error)
    tasks.end(retried, "RETRY", retry_in=1.0, error=error | {"phase": None})
    tasks.end(untold, "FAILURE", error={"type": "E", "message": "why", "traceback": None})
    tasks.end(cancelled, "REVOKED", error={"type": "Cancelled", "message": "Cancelled", "traceback": None})

    def lines(task_id: str) -> list[tuple[str, str, str | None]]:
        return [(e["level"], e["message"], e["phase"]) for e in tasks.events(task_id) if e["type"] == "log"]

    assert lines(failed) == [("ERROR", trace.rstrip(), "sort")]
    assert lines(retried) == [("ERROR", trace.rstrip(), None)]
    assert lines(untold) == [("ERROR", "E: why", None)]
    assert lines(cancelled) == []
    assert tasks.state(failed)["task"]["error"] == {
        "type": "E",
        "message": "why",
        "traceback": trace,
        "phase": "sort",
    }
