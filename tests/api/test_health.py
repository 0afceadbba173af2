from __future__ import annotations

from tests.api import patient
from tests.support.system import System, User, wait_for


def test_a_process_that_can_serve_is_live_and_ready(system: System) -> None:
    live, ready = patient.get(f"{system.url}/livez"), patient.get(f"{system.url}/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert ready.json()["postgres"] == {"connected": True}
    assert ready.json().keys() == {"status", "postgres", "redis"}


def test_a_watched_room_connects_to_redis_and_that_is_ok(system: System, user: User) -> None:
    task_id = user.start("test_endless")
    with user.client.stream("GET", f"/api/v2/tasks/{task_id}/stream"):
        found = wait_for(
            "redis to be heard",
            lambda: body if (body := patient.get(f"{system.url}/readyz").json())["status"] == "ok" else None,
        )
        wait_for(
            "a sign of life from redis",
            lambda: patient.get(f"{system.url}/readyz").json()["redis"]["silent_seconds"] < 5,
        )
    assert found["redis"]["connected"]
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    user.finished(task_id)
