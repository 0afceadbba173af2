"""A snapshot is the state at its sequence, also beside a writer, on a real Postgres."""

from __future__ import annotations

import threading

import pytest

from app.db.persistent import PersistentConnection
from app.stream.event import draft, now, task_stream
from app.tasks.log_conditions import LogFilter
from app.tasks.logs import logs_after, logs_before
from app.tasks.snapshot import RECENT_LOGS, current_events, snapshot
from tests.stream.helpers import in_threads, line
from tests.tasks.helpers import Tasks, folded

SNAPSHOTS, DIFFERENT = 100, 10


def phase_event(task_id: str, phase: str, n: int, status: str = "in_progress"):
    fields = {
        "timestamp": now(),
        "phase_id": phase,
        "status": status,
        "processed_count": n,
        "progress": n % 100,
    }
    return draft(task_stream(task_id), "phase_update", fields, attempt=1)


def test_a_snapshot_names_task_phases_logs_and_worker(tasks: Tasks):
    task_id = tasks.started()
    tasks.append([phase_event(task_id, "read", 3, "active"), line(task_stream(task_id), "hello")])

    found = snapshot(tasks.connect, task_id)

    assert found and set(found) == {
        *("task", "phases", "sections", "recent_logs", "celery", "approval", "sequence")
    }
    assert found["sequence"] == 5 and found["phases"][0]["processed_count"] == 3
    assert [log["message"] for log in found["recent_logs"]] == ["hello"]
    assert found["celery"] == {
        "id": f"{task_id}.1",
        "state": "STARTED",
        "worker": "w@host",
        "attempt": 1,
        "retries": 0,
    }


def test_a_retry_is_a_line_between_those_of_its_attempts(tasks: Tasks):
    task_id = tasks.started()
    tasks.append([line(task_stream(task_id), "first")])
    error = {"type": "OSError", "message": "away", "traceback": None}
    tasks.end(task_id, "RETRY", retry_in=1.5, retry_count=1, error=error, result={"status": "RETRY"})
    tasks.append([line(task_stream(task_id), "last")])
    why = "OSError: away\nAttempt 2 follows in 1.5 s"

    found = snapshot(tasks.connect, task_id)
    with tasks.connect() as connection, connection.cursor() as cur:
        pages = [logs_after(cur, task_id, 0, 10).logs, logs_before(cur, task_id, None, 10).logs]
        warnings = logs_after(cur, task_id, 0, 10, LogFilter(level="WARNING")).logs
        errors = logs_after(cur, task_id, 0, 10, LogFilter(level="ERROR")).logs
        searched = logs_after(cur, task_id, 0, 10, LogFilter(q="AWAY")).logs

    assert found
    for lines in (found["recent_logs"], *pages):
        assert [log["message"] for log in lines] == ["first", why, "last"]
        assert [log["sequence"] for log in lines] == sorted(log["sequence"] for log in lines)
    assert warnings == searched == pages[0][1:2] and errors == []
    assert {name: warnings[0][name] for name in ("level", "component", "phase")} == {
        "level": "WARNING",
        "component": "taskroom",
        "phase": None,
    }


def test_a_task_has_no_message_id_before_its_first_attempt(tasks: Tasks):
    found = snapshot(tasks.connect, tasks.create())

    assert found and found["celery"]["id"] is None and found["celery"]["state"] == "PENDING"


def test_an_unknown_task_has_no_snapshot(tasks: Tasks):
    assert snapshot(tasks.connect, "00000000-0000-4000-8000-000000000009") is None
    with pytest.raises(LookupError):
        current_events(tasks.connect, "task:nowhere")


def test_the_newest_logs_are_in_order(tasks: Tasks):
    task_id = tasks.started()
    tasks.append([line(task_stream(task_id), str(n)) for n in range(RECENT_LOGS + 20)])

    found = snapshot(tasks.connect, task_id)

    assert found and [log["message"] for log in found["recent_logs"]] == [
        str(n) for n in range(20, RECENT_LOGS + 20)
    ]


def test_the_current_events_are_the_status_and_each_phase_as_they_were(tasks: Tasks):
    task_id = tasks.started()
    tasks.append(
        [phase_event(task_id, "read", 1), phase_event(task_id, "sort", 1), line(task_stream(task_id))]
    )
    tasks.append([phase_event(task_id, "read", 2)])

    events, position = current_events(tasks.connect, task_stream(task_id))

    assert position == 7
    assert [(e.sequence, e.type, e.decoded().get("phase_id")) for e in events] == [
        (2, "task_status", None),
        (5, "phase_update", "sort"),
        (7, "phase_update", "read"),
    ]


def test_every_snapshot_beside_a_busy_writer_is_the_fold_up_to_its_sequence(tasks: Tasks):
    task_id, found, done = tasks.started(), [], threading.Event()

    def writes() -> None:
        n = 0
        while not done.is_set():
            n += 1
            phase = f"phase {n // 20 % 5}"
            tasks.append(
                [
                    phase_event(task_id, phase, n),
                    line(task_stream(task_id), str(n)),
                    phase_event(task_id, phase, n + 1),
                ]
            )
        tasks.end(task_id)

    def looks() -> None:
        connect = PersistentConnection(tasks.database)
        try:
            seen: set[int] = set()
            while len(found) < SNAPSHOTS or len(seen) <= DIFFERENT:  # a slow writer makes the test longer
                found.append(snapshot(connect, task_id))
                seen.add(found[-1]["sequence"])
        finally:
            done.set()
            connect.close()

    in_threads([writes, looks], 120)

    events = tasks.events(task_id)
    for seen in found:
        state = folded(events[: seen["sequence"]])
        assert {name: seen[name] for name in state} == state
        logs = [e["sequence"] for e in events[: seen["sequence"]] if e["type"] == "log"]
        assert [log["sequence"] for log in seen["recent_logs"]] == logs[-RECENT_LOGS:]
