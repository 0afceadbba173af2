"""A worker that is no Celery worker, and what it says."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.support.system import User

STARTED = {"type": "task_status", "status": "STARTED"}
DONE = {"type": "task_status", "status": "SUCCESS", "result": {"pages": 3}}


class Worker:
    """One that counts its batches, and has claimed attempt 1 of a task."""

    def __init__(self, user: User, task_id: str, attempt: int = 1) -> None:
        self.user, self.task_id, self.attempt = user, task_id, attempt
        self.writer, self.batch = str(uuid.uuid4()), 0

    def send(self, *events: dict[str, Any], **other: Any) -> httpx.Response:
        self.batch += 1
        return self.again(*events, **other)

    def again(self, *events: dict[str, Any], **other: Any) -> httpx.Response:
        body = {"writer": self.writer, "batch": self.batch, "attempt": self.attempt, "events": list(events)}
        return self.user.client.post(f"/api/v2/tasks/{self.task_id}/events", json=body | other)


def line(message: str, **more: Any) -> dict[str, Any]:
    return {"type": "log", "message": message, **more}


def accepted(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer
