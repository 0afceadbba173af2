"""What the main process of a Celery worker knows of the processes of its pool."""

from __future__ import annotations

from typing import Any

from tests.support.system import wait_for


def wait_accepted(control: Any, tasks: int, *hosts: str) -> None:
    """Waits until the main process of a worker knows that so many tasks run in its pool. A cold shutdown before that
    cancels none of them: Celery waits then for the end of a task that nobody ends."""

    def accepted() -> bool:
        active = control.inspect(timeout=1.0, destination=hosts or None, limit=len(hosts) or None).active()
        found = [task for each in (active or {}).values() for task in each if task["time_start"]]
        return len(found) >= tasks

    wait_for("the worker to know of its tasks", accepted)
