"""Times that a worker of another kind gives with its events."""

from __future__ import annotations

from tests.api.external import DONE, STARTED, Worker, accepted, line
from tests.support.system import User


def test_the_times_of_start_and_end_may_be_given(user: User, service: User, waiting: str) -> None:
    worker = Worker(service, waiting)
    begin, end = "2026-01-02T03:04:05.250000Z", "2026-01-02T03:06:05.500000Z"

    accepted(worker.send(STARTED | {"timestamp": begin}))
    accepted(worker.send(DONE | {"timestamp": end}))

    task = user.status(waiting)["task"]
    assert (task["started_at"], task["finished_at"]) == (begin, end)
    events = {
        (e["type"], e["data"].get("status")): e["data"] for e in user.events(waiting) if e["sequence"] > 1
    }
    assert events["task_status", "STARTED"]["timestamp"] == begin
    assert events["task_status", "SUCCESS"]["timestamp"] == end
    assert events["agent_completed", None]["execution_time_ms"] == 120_250
    (row,) = user.get("jobs/history")["jobs"]
    assert row["duration_seconds"] == 120.25


def test_so_may_those_of_phases_and_of_what_is_said_in_between(user: User, worker: Worker) -> None:
    phase = {"phase_id": "fetch", "total_count": 2}
    reported = (
        {"type": "phase_update", "status": "active", **phase},
        STARTED | {"current_phase_message": "half"},
        {"type": "phase_complete", "processed_count": 2, **phase},
    )
    times = [f"2026-01-02T03:04:0{n}.250000Z" for n in range(3)]

    answer = accepted(
        worker.send(*(event | {"timestamp": at} for event, at in zip(reported, times, strict=True)))
    )

    stored = {e["sequence"]: e["data"]["timestamp"] for e in user.events(worker.task_id)}
    assert [stored[sequence] for sequence in answer["sequences"]] == times


def test_an_end_that_is_said_to_be_before_the_start_took_no_time(user: User, worker: Worker) -> None:
    accepted(worker.send(DONE | {"timestamp": "2001-01-02T03:04:05Z"}))

    assert user.status(worker.task_id)["task"]["finished_at"] == "2001-01-02T03:04:05.000000Z"
    (row,) = user.get("jobs/history")["jobs"]
    assert row["duration_seconds"] == 0


def test_a_time_long_ago_is_a_time(worker: Worker) -> None:
    accepted(worker.send(line("old", timestamp="0013-01-01T00:00:00Z")))
    at = {
        "type": "phase_update",
        "phase_id": "fetch",
        "status": "active",
        "timestamp": "0013-01-01T00:00:00Z",
    }

    accepted(worker.send(at))
