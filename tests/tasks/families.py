"""Parents and their steps, for tests."""

from __future__ import annotations

from typing import Any

from app.stream.event import task_stream, user_stream
from app.stream.store import Appended, Store
from app.tasks import parents
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks, folded

BROKEN = {"type": "X", "message": "it broke", "traceback": None}


def step(**more: Any) -> dict[str, Any]:
    return {"job_type": "emit_load", "params": {"n": 1}, "on_failure": "stop", **more}


def delegated_parent(tasks: Tasks, *steps: dict[str, Any], mode: str = "sequence") -> str:
    """Creates a parent whose worker has left the work to its steps."""
    parent = tasks.create(job_type="orchestrate", title="All", params={"steps": list(steps), "mode": mode})
    assert tasks.claim(parent)
    delegate(tasks, parent)
    return parent


def delegate(tasks: Tasks, parent: str) -> Appended:
    count = len(tasks.state(parent)["task"]["params"]["steps"])
    return tasks.append([parents.delegation(task_stream(parent), 1, count)])


def steps(tasks: Tasks, parent: str) -> list[str]:
    """Returns the ids of the parent's steps, in their order."""
    return [
        row[0]
        for row in sql(
            tasks.database, "SELECT id::text FROM tasks WHERE parent_id = %s ORDER BY step", parent
        )
    ]


def run(tasks: Tasks, task_id: str, status: str = "SUCCESS", **more: Any) -> Appended:
    assert tasks.claim(task_id)
    return tasks.end(task_id, status, **({"error": BROKEN} if status != "SUCCESS" else {}), **more)


def status(tasks: Tasks, task_id: str) -> str:
    return str(tasks.state(task_id)["task"]["status"])


def owner_events(tasks: Tasks) -> list[dict[str, Any]]:
    found = Store(tasks.connect).after(user_stream(tasks.user_id), 0)
    return [{"type": e.type, **e.decoded()} for e in found]


def consistent(tasks: Tasks, *task_ids: str) -> bool:
    """Checks that the tasks' rows are the fold of their events and that sequences have no gaps."""
    for task_id in task_ids:
        events = tasks.events(task_id)
        assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
        assert tasks.state(task_id) == folded(events)
    return True
