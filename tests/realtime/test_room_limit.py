"""One socket joins 64 rooms; a further join is refused, and a room that is left makes place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.system import System, User
from tests.support.viewers import SocketViewer

pytestmark = pytest.mark.slow

ROOMS = 64


def test_the_sixty_fifth_room_is_refused_until_one_is_left(system: System, user: User) -> None:
    approval = {"title": "never", "risk_level": "low"}  # so that none of them runs, or ends
    started = {"job_type": "test_echo", "approval": approval}
    task_ids = [
        user.client.post("/api/v2/agent/start", json=started).json()["task_id"] for _ in range(ROOMS + 1)
    ]
    viewer = SocketViewer(system.url, user, "")
    client = viewer.connect()

    def call(event: str, task_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.call(event, {"task_id": task_id}, timeout=60)
        return answer

    joined = [call("join_task", task_id)["ok"] for task_id in task_ids[:ROOMS]]
    refused = call("join_task", task_ids[ROOMS])
    again = call("join_task", task_ids[0])
    call("leave_task", task_ids[0])
    then = call("join_task", task_ids[ROOMS])

    viewer.close()
    assert joined == [True] * ROOMS
    assert refused["ok"] is False and refused["error"]["status"] == 429
    assert again["ok"] is True, "one that it is in already is none more"
    assert then["ok"] is True
