"""Redis is away, and so is the broker: people sign in and out all the same, and what cannot be is said."""

from __future__ import annotations

import httpx
import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.system import PASSWORD, System, User, wait_for
from tests.support.viewers import SseViewer

pytestmark = pytest.mark.slow

V2 = "/api/v2"


def test_it_is_ready_and_says_degraded(without_redis: str) -> None:
    answer = patient.get(f"{without_redis}/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["redis"]["connected"] is False
    assert patient.get(f"{without_redis}/livez").json() == {"status": "ok"}


def test_people_can_still_sign_in(without_redis: str, user: User) -> None:
    with httpx.Client(base_url=without_redis, timeout=30) as client:
        right = client.post(f"{V2}/auth/login", json={"email": user.email, "password": PASSWORD})
        wrong = client.post(f"{V2}/auth/login", json={"email": user.email, "password": "wrong"})

    assert right.status_code == 200
    problem(wrong, 401)


def test_a_sign_out_elsewhere_is_read(without_redis: str, user: User) -> None:
    types = f"{without_redis}{V2}/jobs/types"
    assert user.client.get(types).status_code == 200

    assert user.client.post(f"{V2}/auth/logout").status_code == 204

    wait_for("the refusal", lambda: user.client.get(types).status_code == 401, LIMIT)


def test_a_start_is_503_and_leaves_nothing_pending(system: System, without_redis: str, user: User) -> None:
    start, body, key = f"{V2}/agent/start", {"job_type": "test_echo"}, {"Idempotency-Key": "k1"}
    client = system.sign_in(user.email, without_redis)

    answers = [client.post(start, json=body, headers=key) for _ in range(2)]

    for answer in answers:
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    tasks = user.get("tasks")["tasks"]
    assert [task["status"] for task in tasks] == ["FAILURE"] * 2, "the key was forgotten"
    assert {task["error"]["type"] for task in tasks} == {"BrokerUnavailable"}
    assert [event["type"] for event in user.events(tasks[0]["task_id"])] == [
        "task_status",
        "log",
        "task_status",
    ]
    assert user.client.post(start, json=body, headers=key).status_code == 202
    client.close()


def test_a_sign_out_holds_at_once_in_the_process_that_was_told(
    without_redis: str, user: User, waiting: str
) -> None:
    login = {"email": user.email, "password": PASSWORD}
    with httpx.Client(base_url=without_redis, timeout=30) as client:
        token = client.post(f"{V2}/auth/login", json=login).json()["access_token"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        viewer = SseViewer(without_redis, User(user.id, user.email, token, client), waiting)
        viewer.open(0)
        viewer.control("connected")
        assert client.get(f"{V2}/tasks").status_code == 200

        signed_out = client.post(f"{V2}/auth/logout")
        refused = client.get(f"{V2}/tasks")

        assert signed_out.status_code == 204
        problem(refused, 401)
        assert viewer.closed.wait(LIMIT), "what it had open is closed"
        viewer.close()
