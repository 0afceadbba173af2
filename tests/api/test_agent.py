from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.answers import problem
from tests.support.system import System, User, wait_for

START = "/api/v2/agent/start"
ECHO = {"job_type": "test_echo", "params": {"text": "hello"}}


def start(user: User, body: Any = ECHO, key: str = "") -> httpx.Response:
    return user.client.post(START, json=body, headers={"Idempotency-Key": key} if key else {})


def test_a_start_is_accepted_with_its_address_and_defaults(user: User) -> None:
    answer = start(user, {"job_type": "test_phases"})

    body = answer.json()
    assert answer.status_code == 202
    assert body == {"task_id": body["task_id"], "status": "PENDING", "sequence": 1}
    assert answer.headers["Location"] == f"/api/v2/tasks/{body['task_id']}/status"
    task = user.client.get(answer.headers["Location"]).json()["task"]
    assert (task["title"], task["intent"]) == ("Task: test_phases", "execute_command")
    assert (task["params"], task["trigger"], task["user_id"]) == ({"count": 10}, "manual", user.id)


def test_title_intent_and_params_are_kept(user: User) -> None:
    made = start(user, ECHO | {"title": "<b>ü</b> 🎉", "intent": "try"}).json()

    task = user.finished(made["task_id"])["task"]
    assert (task["title"], task["intent"], task["params"]) == ("<b>ü</b> 🎉", "try", {"text": "hello"})
    assert task["result"] == {"text": "hello"}


def test_preferences_is_another_word_for_params(user: User) -> None:
    made = start(user, {"job_type": "test_echo", "preferences": {"text": "hello"}}).json()

    assert user.status(made["task_id"])["task"]["params"] == {"text": "hello"}
    problem(start(user, ECHO | {"preferences": {}}), 422, "preferences")


def test_an_unknown_job_type_is_named_with_those_there_are(user: User) -> None:
    answer = problem(start(user, {"job_type": "nonsense"}), 422, "job_type")

    assert "knowledge_base" in answer["errors"]["job_type"][0]


def test_refused_params_are_named_each(user: User) -> None:
    params = {"limit": 0, "pattern": "", "root": 5, "nonsense": 1}
    named = [f"params.{name}" for name in params]
    problem(start(user, {"job_type": "knowledge_base", "params": params}), 422, *named)
    quiz = {"artifact_type": "poem", "content": 1, "options": {"num_questions": "many"}}
    named = ["params.artifact_type", "params.content", "params.options.num_questions"]
    problem(start(user, {"job_type": "artifact", "params": quiz}), 422, *named)
    problem(start(user, {"job_type": "test_echo", "params": {"text": "x" * 65_536}}), 422, "params")
    assert user.get("tasks")["tasks"] == [], "a refused start leaves no task"


def test_what_only_the_job_itself_can_refuse_fails_its_attempt_by_name(user: User) -> None:
    made = start(user, {"job_type": "knowledge_base", "params": {"root": "/etc"}})

    task = user.finished(made.json()["task_id"])["task"]

    assert (task["status"], task["error"]["type"], task["retry_count"]) == ("FAILURE", "InvalidParams", 0)
    assert task["error"]["message"].startswith("params.root: ")


def test_parameters_have_64_kb(user: User) -> None:
    """In bytes of JSON: a letter beyond ASCII has two or more."""
    fits, too_large = {"text": "ü" * 32_700}, {"text": "ü" * 32_768}

    assert start(user, {"job_type": "test_echo", "params": fits}).status_code == 202
    assert (
        "65,536 bytes"
        in problem(start(user, {"job_type": "test_echo", "params": too_large}), 422, "params")["errors"][
            "params"
        ][0]
    )


def test_the_same_key_makes_one_task_and_answers_the_same(user: User) -> None:
    first = start(user, key="k1")
    again = start(user, {"params": {"text": "hello"}, "job_type": "test_echo"}, key="k1")

    assert again.status_code == 202
    assert (again.json(), again.headers["Location"]) == (first.json(), first.headers["Location"])
    assert len(user.get("tasks")["tasks"]) == 1


def test_the_same_key_with_another_body_is_422(user: User) -> None:
    start(user, key="k1")

    problem(start(user, {"job_type": "test_echo"}, key="k1"), 422, "Idempotency-Key")


def test_two_starts_at_the_same_moment_make_one_task(user: User) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: start(user, key="race"), range(8)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    assert len(user.get("tasks")["tasks"]) == 1


def test_a_key_belongs_to_its_user(user: User, other: User) -> None:
    mine, theirs = (
        start(user, key="shared").json(),
        start(other, {"job_type": "test_phases"}, key="shared").json(),
    )

    assert mine["task_id"] != theirs["task_id"]


def test_a_key_is_forgotten_after_a_day(system: System, user: User) -> None:
    first = start(user, key="k1").json()
    system.sql(
        "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE user_id = %s", user.id
    )

    assert start(user, {"job_type": "test_echo"}, key="k1").json()["task_id"] != first["task_id"]


@pytest.mark.parametrize("key", ["x" * 201, "é", "a\tb"])
def test_a_key_that_is_no_key_is_named(user: User, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}

    problem(user.client.post(START, json=ECHO, headers=headers), 422, "Idempotency-Key")


def test_active_is_the_newest_unfinished_task_or_null(user: User) -> None:
    assert user.get("agent/active") == {"active": None}
    user.finished(user.start("test_echo"))
    assert user.get("agent/active") == {"active": None}

    older, newer = user.start("test_endless"), user.start("test_endless")
    found = user.get("agent/active")["active"]
    assert found.keys() == {
        *("task", "phases", "sections", "recent_logs", "celery", "approval", "sequence", "waiting_below")
    }
    assert found["task"]["task_id"] == newer
    for task_id in (newer, older):
        assert user.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 202
    wait_for("no active task", lambda: user.get("agent/active")["active"] is None)


def test_the_active_task_says_that_a_step_of_it_waits_for_approval(user: User) -> None:
    step = {"job_type": "test_echo", "params": {}, "approval": {"title": "Pay the translator"}}
    parent = user.start("orchestrate", steps=[step])

    wait_for("the step", lambda: user.get("agent/active")["active"]["waiting_below"] == 1)

    (waits,) = user.get("tasks", parent_id=parent)["tasks"]
    assert user.client.post(f"/api/v2/tasks/{waits['task_id']}/approve").status_code == 202
    user.finished(parent)


def test_a_body_has_256_kb_and_its_parameters_are_measured_before_they_are_read(user: User) -> None:
    wide = {f"field{n}": n for n in range(6_000)}

    answer = start(user, {"job_type": "test_echo", "params": wide})
    errors = problem(answer, 422, "params")["errors"]
    too_large = start(user, {"job_type": "test_echo", "params": {"text": "x" * 262_144}})

    assert errors == {"params": ["Longer than 65,536 bytes."]}
    problem(too_large, 413)
