"""A sign-out holds at once in the process that was told, also where Redis tells nobody anything."""

from __future__ import annotations

import httpx

from tests.api.answers import problem
from tests.support.system import PASSWORD, User
from tests.support.viewers import SseViewer


def test_the_process_that_was_told_waits_for_nobody(without_redis: str, user: User) -> None:
    login = {"email": user.email, "password": PASSWORD}
    task_id = user.start("test_quiet")
    with httpx.Client(base_url=without_redis, timeout=30) as client:
        token = client.post("/api/v2/auth/login", json=login).json()["access_token"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        viewer = SseViewer(without_redis, User(user.id, user.email, token, client), task_id)
        viewer.open(0)
        viewer.control("connected")
        assert client.get("/api/v2/tasks").status_code == 200

        signed_out = client.post("/api/v2/auth/logout")
        refused = client.get("/api/v2/tasks")

        assert signed_out.status_code == 204
        problem(refused, 401)
        assert viewer.closed.wait(20), "what it had open is closed"
        viewer.close()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
