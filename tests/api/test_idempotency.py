"""What is asked for many times is made once: by a key on whatever makes something; a retry also by its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.api.answers import problem
from tests.support.system import System, User

KEY = {"Idempotency-Key": "the same"}
HOOK = {"url": "https://example.org/hook", "event_types": ["notification"]}
ARTIFACT = {"notebook_id": "n1", "artifact_type": "quiz", "content": "Some words."}


@pytest.fixture
def admin(system: System) -> Iterator[User]:
    admin = system.user("global_admin")
    with closing(admin.client):
        yield admin


@pytest.fixture
def failed(admin: User) -> str:
    task_id = admin.start("test_fail")
    admin.finished(task_id)
    return task_id


@pytest.fixture
def hook(admin: User) -> str:
    return str(admin.client.post("/api/v2/webhooks", json=HOOK).json()["id"])


def rows(system: System, admin: User) -> dict[str, int]:
    counts = {
        "tasks": "SELECT count(*) FROM tasks WHERE user_id = %s",
        "webhooks": "SELECT count(*) FROM webhooks WHERE user_id = %s",
        "pings": """SELECT count(*) FROM deliveries JOIN webhooks ON webhooks.id = webhook_id
                    WHERE event_type = 'ping' AND user_id = %s""",
        "announcements": """SELECT count(*) FROM events JOIN streams ON streams.id = stream_id
                            WHERE streams.name = 'broadcast' AND payload LIKE '%%' || %s || '%%'""",
    }
    return {name: system.sql(question, admin.id)[0][0] for name, question in counts.items()}


def at_once(number: int, ask: Any) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: ask(), range(number)))


MAKE = {
    "start": ("/api/v2/agent/start", {"job_type": "test_echo"}, "tasks"),
    "generate": ("/ai/artifact/generate", ARTIFACT, "tasks"),
    "retry": ("/api/v2/tasks/{failed}/retry", None, "tasks"),
    "webhook": ("/api/v2/webhooks", HOOK, "webhooks"),
    "ping": ("/api/v2/webhooks/{hook}/ping", None, "pings"),
    "announcement": ("/api/v2/announcements", {"title": "Noon"}, "announcements"),
}


@pytest.mark.parametrize("what", MAKE)
def test_of_twenty_at_once_with_one_key_one_makes_it_and_all_answer_the_same(
    system: System, admin: User, failed: str, hook: str, what: str
) -> None:
    path, body, table = MAKE[what]
    path = path.format(failed=failed, hook=hook)
    if what == "announcement":
        body = {"title": "Noon", "message": f"by {admin.id}"}
    before = rows(system, admin)

    answers = at_once(20, lambda: admin.client.post(path, json=body, headers=KEY))
    answers.append(admin.client.post(path, json=body, headers=KEY))

    assert {answer.status_code for answer in answers} <= {201, 202}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert rows(system, admin) == before | {table: before[table] + 1}


@pytest.mark.parametrize("what", ["retry", "webhook", "ping", "announcement"])
def test_a_key_that_came_with_something_else_is_422(
    system: System, admin: User, failed: str, hook: str, what: str
) -> None:
    path, body, _ = MAKE[what]
    assert admin.client.post(MAKE["start"][0], json=MAKE["start"][1], headers=KEY).status_code == 202
    before = rows(system, admin)

    answer = admin.client.post(path.format(failed=failed, hook=hook), json=body, headers=KEY)

    problem(answer, 422, "Idempotency-Key")
    assert rows(system, admin) == before


def test_one_key_retries_one_task_and_not_another(admin: User, failed: str) -> None:
    other = admin.start("test_fail")
    admin.finished(other)
    assert admin.client.post(f"/api/v2/tasks/{failed}/retry", headers=KEY).status_code == 202

    problem(admin.client.post(f"/api/v2/tasks/{other}/retry", headers=KEY), 422, "Idempotency-Key")


@pytest.fixture
def stopped(admin: User) -> str:
    """A task that has ended and whose retry goes on until it is cancelled."""
    task_id = admin.start("test_endless")
    assert admin.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 202
    admin.finished(task_id)
    return task_id


def test_of_twenty_retries_at_once_one_is_made_and_the_others_are_409(admin: User, stopped: str) -> None:
    again = f"/api/v2/tasks/{stopped}/retry"

    answers = at_once(20, lambda: admin.client.post(again))

    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 19}
    (made,) = (answer.json()["task_id"] for answer in answers if answer.status_code == 202)
    (*_, refused) = (answer for answer in answers if answer.status_code == 409)
    assert made in problem(refused, 409)["detail"]
    assert admin.client.post(f"/api/v2/tasks/{made}/cancel").status_code == 202
    admin.finished(made)
    more = admin.client.post(again)
    assert more.status_code == 202, "the retry has ended"
    assert admin.client.post(f"/api/v2/tasks/{more.json()['task_id']}/cancel").status_code == 202


def test_a_retry_with_a_body_that_nobody_reads_has_a_key_too(admin: User, failed: str) -> None:
    again, body = f"/api/v2/tasks/{failed}/retry", {"content": b"not json", "headers": KEY}

    answers = [admin.client.post(again, **body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
