"""A program that runs tasks of its own and reports them, and what it says."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.support.system import User

STARTED = {"type": "task_status", "status": "STARTED"}
PENDING = {"type": "task_status", "status": "PENDING"}
DONE = {"type": "task_status", "status": "SUCCESS", "result": {"sent": 3}}
Part = dict[str, Any]
Answer = dict[str, Any]


class Reporter:
    """One process, which numbers its batches. ``send`` returns the answer; ``post`` the response."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.writer, self.batch = str(uuid.uuid4()), 0

    def post(self, *parts: Part, **other: Any) -> httpx.Response:
        self.batch += 1
        return self.again(*parts, **other)

    def again(self, *parts: Part, **other: Any) -> httpx.Response:
        body = {"writer": self.writer, "batch": self.batch, "tasks": list(parts)}
        return self.user.client.post("/api/v2/events", json=body | other)

    def send(self, *parts: Part, **other: Any) -> Answer:
        response = self.post(*parts, **other)
        assert response.status_code == 202, response.text
        answer: Answer = response.json()
        return answer

    def accepted(self, *parts: Part, **other: Any) -> list[Answer]:
        """Sends what nothing of is refused; returns the rows of the tasks."""
        answer = self.send(*parts, **other)
        assert answer["refused"] == []
        rows: list[Answer] = answer["tasks"]
        return rows

    def started(self, **more: Any) -> str:
        """Starts a new task with its attempt ``one``; returns its id."""
        part = new_task(STARTED, **more)
        self.accepted(part)
        return str(part["task_id"])


def new_task(*events: Part, **more: Any) -> Part:
    """The first mention of a task, with its attempt ``one``."""
    part = {"task_id": str(uuid.uuid4()), "attempt": "one", "job_type": "shop.mail", "events": list(events)}
    return {name: value for name, value in (part | more).items() if value is not None}


def part(task_id: str, *events: Part, **more: Any) -> Part:
    """A later mention."""
    found = {"task_id": task_id, "attempt": "one", "events": list(events)} | more
    return {name: value for name, value in found.items() if value is not None}


def line(message: str, **more: Any) -> Part:
    return {"type": "log", "message": message, **more}


def phase(name: str, status: str = "active", **more: Any) -> Part:
    return {"type": "phase_update", "phase_id": name, "status": status, **more}


def status(name: str, **more: Any) -> Part:
    return {"type": "task_status", "status": name, **more}
