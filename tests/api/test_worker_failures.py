"""How a task fails whose worker is no Celery worker."""

from __future__ import annotations

from tests.api.external import Worker, accepted
from tests.support.system import User


def test_a_failure_says_why_and_ends_open_phases(user: User, worker: Worker) -> None:
    error = {"type": "DiskFull", "message": "no space", "traceback": "T" * 20_000}
    worker.send({"type": "phase_update", "phase_id": "fetch", "status": "active"})

    accepted(worker.send({"type": "task_status", "status": "FAILURE", "error": error}))

    snapshot = user.status(worker.task_id)
    assert snapshot["task"]["error"] | {"traceback": ""} == error | {"traceback": "", "phase": "fetch"}
    assert snapshot["task"]["error"]["traceback"].startswith("… [cut: 20,000 characters in all]")
    assert [(p["status"], p["message"]) for p in snapshot["phases"]] == [("error", "no space")]


def test_a_failure_may_say_its_phase_and_its_source(user: User, worker: Worker) -> None:
    source = {
        "file": "shop.rb",
        "line": 12,
        "function": "charge",
        "first_line": 11,
        "lines": ["def charge", "  fail"],
    }
    error = {"type": "DiskFull", "message": "no space", "traceback": None, "phase": None, "source": source}
    bad = error | {"source": source | {"line": 0, "lines": ["x"] * 8}}
    worker.send({"type": "phase_update", "phase_id": "fetch", "status": "active"})
    worker.send({"type": "log", "message": "7 is odd", "level": "WARNING", "item_error": True})

    refused = worker.send({"type": "task_status", "status": "FAILURE", "error": bad})
    accepted(worker.again({"type": "task_status", "status": "FAILURE", "error": error}))

    assert sorted(refused.json()["errors"]) == ["events.0.error.source.line", "events.0.error.source.lines"]
    assert user.status(worker.task_id)["task"]["error"] == {
        "type": "DiskFull",
        "message": "no space",
        "traceback": None,
        "source": source,
    }
    lines = user.get(f"tasks/{worker.task_id}/logs", errors=True)["logs"]
    assert [(line["level"], line["message"], line.get("item_error")) for line in lines] == [
        ("WARNING", "7 is odd", True),
        ("ERROR", "DiskFull: no space", None),
    ]
