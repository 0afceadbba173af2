"""Bulk actions, as a user asks for them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from tests.support.system import System, User

BULK = "/api/v2/tasks/bulk"


def ask(user: User, action: str, **of: Any) -> str:
    """Asks for a bulk action; returns the id of its run."""
    answer = user.client.post(BULK, json={"action": action, **of})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def done(user: User, action: str, **of: Any) -> dict[str, Any]:
    """Asks for a bulk action, and waits for its end; returns its result with its id."""
    task_id = ask(user, action, **of)
    task = user.finished(task_id)["task"]
    assert task["status"] == "SUCCESS", task["error"]
    return {"bulk": task_id, **task["result"]}


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {each["task_id"]: each["outcome"] for each in result["tasks"]}


def lines(user: User, task_id: str) -> list[str]:
    """The lines of its log."""
    return [event["data"]["message"] for event in user.events(task_id) if event["type"] == "log"]


def waiting(user: User, number: int = 1) -> list[str]:
    """Runs that wait, which no Celery worker takes."""
    return [user.start("test_outside", text=f"page {n}") for n in range(number)]


def statuses(user: User, ids: list[str]) -> list[str]:
    return [user.status(task_id)["task"]["status"] for task_id in ids]


def locked(system: System, task_id: str) -> Any:
    """Keeps a bulk action from going on, for the length of a block: this run of its is locked."""
    connection = psycopg2.connect(system.database_url)
    connection.cursor().execute("SELECT FROM streams WHERE name = %s FOR UPDATE", (f"task:{task_id}",))
    return closing(connection)
