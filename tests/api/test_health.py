from __future__ import annotations

import httpx

from tests.api.answers import problem
from tests.support.line import Line
from tests.support.system import System, User, wait_for


def test_a_process_that_can_serve_is_live_and_ready(system: System) -> None:
    live, ready = httpx.get(f"{system.url}/livez"), httpx.get(f"{system.url}/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert ready.json()["postgres"] == {"connected": True}
    assert ready.json().keys() == {"status", "postgres", "redis"}


def test_a_watched_room_connects_to_redis_and_that_is_ok(system: System, user: User) -> None:
    task_id = user.start("test_endless")
    with user.client.stream("GET", f"/api/v2/tasks/{task_id}/stream"):
        found = wait_for(
            "redis to be heard",
            lambda: body if (body := httpx.get(f"{system.url}/readyz").json())["status"] == "ok" else None,
        )
    assert found["redis"]["connected"]
    assert found["redis"]["silent_seconds"] < 5
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    user.finished(task_id)


def test_without_redis_it_is_ready_and_says_degraded(without_redis: str) -> None:
    answer = httpx.get(f"{without_redis}/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["redis"]["connected"] is False
    assert httpx.get(f"{without_redis}/livez").json() == {"status": "ok"}


def test_without_postgres_it_lives_is_not_ready_and_comes_back(
    behind_line: str, line: Line, user: User
) -> None:
    assert httpx.get(f"{behind_line}/readyz").status_code == 200

    line.cut()

    answer = httpx.get(f"{behind_line}/readyz", timeout=10)
    problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert "postgres" in answer.json()["detail"].lower()
    assert httpx.get(f"{behind_line}/livez").status_code == 200
    tasks = user.client.get(f"{behind_line}/api/v2/tasks", timeout=10)
    problem(tasks, 503)
    assert int(tasks.headers["Retry-After"]) > 0

    line.mend()

    wait_for("ready again", lambda: httpx.get(f"{behind_line}/readyz", timeout=10).status_code == 200)
    assert user.client.get(f"{behind_line}/api/v2/tasks").status_code == 200
