"""Shares of runs, and clients that have nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.keys import KeyHolder, holding
from tests.support.system import User


def share(user: User, task_id: str, **body: Any) -> dict[str, Any]:
    answer = user.client.post(f"/api/v2/tasks/{task_id}/share", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@contextmanager
def visitor(user: User, task_id: str, url: str = "", **body: Any) -> Iterator[KeyHolder]:
    """Shares the run; yields a client that has the token and no session. ``key_id`` is the share's id."""
    made = share(user, task_id, **body)
    with holding(user, made["token"], made["id"], url) as found:
        yield found
