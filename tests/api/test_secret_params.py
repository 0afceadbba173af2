"""Secrets among parameters: the worker gets them, and nobody who reads the task does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.external import STARTED, Worker, accepted
from tests.api.reporters import Reporter
from tests.support.shares import visitor
from tests.support.system import System, User

GIVEN = {"pin": 4711, "word": "open-sesame", "account": {"name": "ada", "password": "engine-no-1"}}
SHOWN = {"pin": "[redacted]", "word": "[redacted]", "account": {"name": "ada", "password": "[redacted]"}}
SECRETS = ("4711", "open-sesame", "engine-no-1")
RESULT = {"length": len("open-sesame") + len("engine-no-1"), "digits": 4 + 7 + 1 + 1}


@pytest.fixture
def started(user: User) -> str:
    task_id = user.start("test_sign_in", **GIVEN)
    user.finished(task_id)
    return task_id


def texts(client: Any, task_id: str) -> str:
    """Returns all that a reader of the task gets about its parameters."""
    paths = ("status", "events", "tree", "logs")
    answers = [client.get(f"/api/v2/tasks/{task_id}/{path}") for path in paths]
    assert all(answer.status_code == 200 for answer in answers), answers
    return "".join(answer.text for answer in answers)


def test_the_worker_gets_them_and_the_owner_sees_that_there_are_some(user: User, started: str) -> None:
    task = user.status(started)["task"]

    assert task["params"] == SHOWN
    assert task["result"] == RESULT


def test_no_reader_is_sent_one(user: User, started: str) -> None:
    with visitor(user, started) as guest:
        read = texts(user.client, started) + texts(guest.client, started)

    assert "[redacted]" in read
    assert not [secret for secret in SECRETS if secret in read]


def test_no_event_holds_one(system: System, started: str) -> None:
    stored = system.sql(
        "SELECT string_agg(payload, ' ') FROM events JOIN tasks USING (stream_id) WHERE tasks.id = %s",
        started,
    )

    assert not [secret for secret in SECRETS if secret in stored[0][0]]


def test_a_retry_has_them(user: User, started: str) -> None:
    retry = user.client.post(f"/api/v2/tasks/{started}/retry").json()["task_id"]

    task = user.finished(retry)["task"]

    assert (task["params"], task["result"]) == (SHOWN, RESULT)


@pytest.mark.parametrize("depth", [1, 2], ids=["a step", "a step of a step"])
def test_so_has_a_step(user: User, depth: int) -> None:
    step: dict[str, Any] = {"job_type": "test_sign_in", "params": GIVEN}
    for _ in range(depth - 1):
        step = {"job_type": "orchestrate", "params": {"steps": [step]}}

    parent = user.start("orchestrate", steps=[step])

    user.finished(parent)
    shown = user.status(parent)["task"]["params"]
    for _ in range(depth):
        (child,) = user.get("tasks", parent_id=parent)["tasks"]
        parent, shown = child["task_id"], shown["steps"][0]["params"]
    task = user.status(parent)["task"]
    assert task["params"] == shown == SHOWN
    assert task["result"] == RESULT


def test_another_worker_gets_them_with_its_claim(user: User, service: User) -> None:
    task_id = user.start("test_outside", text="x", api_key="k-1")
    worker = Worker(service, task_id)

    claim = accepted(worker.send(STARTED))["claim"]

    assert claim["params"] == {"text": "x", "api_key": "k-1"}
    assert user.status(task_id)["task"]["params"] == {"text": "x", "api_key": "[redacted]"}


def test_a_parameter_that_is_the_mask_itself_is_a_text(user: User) -> None:
    task_id = user.start("test_echo", text="[redacted]")

    task = user.finished(task_id)["task"]

    assert task["result"] == {"text": "[redacted]"}


def test_what_a_reporter_sends_is_masked_by_its_name(user: User) -> None:
    params = {"host": "db1", "db_password": "engine-no-1", "options": [{"accessToken": "t"}]}

    task_id = Reporter(user).started(params=params)

    assert user.status(task_id)["task"]["params"] == {
        "host": "db1",
        "db_password": "[redacted]",
        "options": [{"accessToken": "[redacted]"}],
    }
