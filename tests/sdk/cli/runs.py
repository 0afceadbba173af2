"""What the server has of a run, and a key for it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.system import User, wait_for


def key_of(user: User, *scopes: str) -> str:
    """A new API key of the user."""
    response = user.client.post("/api/v2/keys", json={"name": "a test's", "scopes": scopes})
    assert response.status_code == 201, response.text
    return str(response.json()["key"])


def the_run(user: User, job_type: str, ended: bool = True) -> Any:
    """The snapshot of the only run of this type, once there is one, and it has ended."""

    def find() -> Any:
        rows = user.get("tasks", job_type=job_type)["tasks"]
        return rows if rows and (rows[0]["finished_at"] or not ended) else None

    (row,) = wait_for(f"the run {job_type}", find, 120)
    return user.status(row["task_id"])


def log_of(user: User, task_id: str) -> list[tuple[str, str, str | None]]:
    """Level, message and component of each line."""
    response = user.client.get(f"/api/v2/tasks/{task_id}/logs/download", params={"format": "ndjson"})
    found = [json.loads(line) for line in response.raise_for_status().text.splitlines()]
    return [(line["level"], line["message"], line["component"]) for line in found]


def said(user: User, task_id: str, component: str = "stdout") -> list[str]:
    """The messages of one component."""
    return [message for _, message, of in log_of(user, task_id) if of == component]
