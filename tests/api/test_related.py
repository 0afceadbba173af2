"""Runs beside a run: started again from it with changes, and the earlier ones of its job type."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.support.keys import holder
from tests.support.system import System, User


@pytest.fixture
def colleague(system: System) -> Iterator[tuple[User, User]]:
    """Two operators of one tenant."""
    tenant = uuid.uuid4().hex
    with (
        closing((one := system.user(tenant=tenant)).client),
        closing((two := system.user(tenant=tenant)).client),
    ):
        yield one, two


def again(user: User, of: str, job_type: str = "test_echo", **params: Any) -> Any:
    body = {"job_type": job_type, "params": params, "again_of": of}
    return user.client.post("/api/v2/agent/start", json=body)


def ended(user: User, job_type: str = "test_echo", **params: Any) -> str:
    task_id = user.start(job_type, **params)
    user.finished(task_id)
    return task_id


def ids(user: User, task_id: str, which: str) -> list[str]:
    return [run["task_id"] for run in user.get(f"tasks/{task_id}/{which}")["runs"]]


def test_a_run_that_is_started_again_with_changes_names_the_first_one(user: User) -> None:
    first = ended(user, text="one")

    answer = again(user, first, text="two")

    assert answer.status_code == 202, answer.text
    task = user.finished(answer.json()["task_id"])["task"]
    assert (task["again_of"], task["retry_of"], task["trigger"]) == (first, None, "manual")
    assert task["params"]["text"] == "two"
    assert user.events(task["task_id"])[0]["data"]["again_of"] == first
    assert user.status(first)["task"]["again_of"] is None


def test_a_run_knows_its_retries_and_the_runs_with_changes_newest_first(user: User) -> None:
    first = ended(user)
    same = user.client.post(f"/api/v2/tasks/{first}/retry").json()["task_id"]
    user.finished(same)
    changed = again(user, first, text="two").json()["task_id"]
    again(user, same, text="three")

    found = user.get(f"tasks/{first}/again")["runs"]

    assert [(run["task_id"], run["retry_of"], run["again_of"]) for run in found] == [
        (changed, None, first),
        (same, first, None),
    ]


def test_the_run_of_somebody_else_is_404_and_makes_nothing(user: User, other: User) -> None:
    theirs = ended(other)

    problem(again(user, theirs), 404)
    problem(again(user, str(uuid.uuid4())), 404)
    problem(user.client.get(f"/api/v2/tasks/{theirs}/again"), 404)
    problem(user.client.get(f"/api/v2/tasks/{theirs}/earlier"), 404)

    assert user.get("tasks")["tasks"] == []


def test_a_colleague_may_start_the_run_again_as_an_own_one(colleague: tuple[User, User]) -> None:
    one, two = colleague
    first = ended(one)

    task = two.finished(again(two, first, text="mine").json()["task_id"])["task"]

    assert (task["user_id"], task["again_of"]) == (two.id, first)
    assert ids(one, first, "again") == [task["task_id"]]


def test_the_parameters_are_those_of_the_same_job_and_of_a_run_of_ours(user: User) -> None:
    echo = ended(user)
    part = new_task(STARTED, DONE, job_type="test_echo")
    Reporter(user).accepted(part)

    for of, job_type in ((echo, "test_fail"), (part["task_id"], "test_echo")):
        assert list(problem(again(user, of, job_type), 422)["errors"]) == ["again_of"]


def test_a_value_that_is_masked_must_be_given_again(user: User) -> None:
    first = ended(user)

    refused = problem(again(user, first, text="[redacted]"), 422)

    assert refused["errors"] == {"params.text": ["It is not shown; give it again."]}


def test_a_key_that_may_only_start_learns_nothing_of_other_runs(user: User) -> None:
    first = ended(user)
    with holder(user, "start") as key:
        body = {"job_type": "test_echo", "params": {}, "again_of": first}
        problem(key.client.post("/api/v2/agent/start", json=body), 403)


def test_earlier_runs_are_those_of_the_job_before_this_one(user: User) -> None:
    first, failed = ended(user), ended(user, "test_fail", text="x")
    second, third = ended(user), ended(user)

    assert ids(user, second, "earlier") == [second, first]
    assert ids(user, third, "earlier") == [third, second, first]
    assert ids(user, failed, "earlier") == [failed]
    run = user.get(f"tasks/{second}/earlier")["runs"][0]
    task = user.status(second)["task"]
    assert [run[name] for name in ("status", "title", "started_at", "finished_at")] == [
        task[name] for name in ("status", "title", "started_at", "finished_at")
    ]


def test_the_last_success_is_there_however_many_runs_have_failed_since(system: System, user: User) -> None:
    success, last = ended(user), ended(user)
    # Twenty-nine failures between the two, without running them.
    system.sql(
        """WITH numbers AS (SELECT n FROM generate_series(1, 29) AS n),
           made AS (INSERT INTO streams (name, closed) SELECT 'task:' || gen_random_uuid(), true FROM numbers
                    RETURNING id, name)
           INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status,
               finished_at)
           SELECT substr(name, 6)::uuid, made.id, user_id, job_type, title, intent, params, trigger,
               tasks.created_at - interval '1 ms', 'FAILURE', tasks.created_at
           FROM made, tasks WHERE tasks.id = %s""",
        last,
    )

    found = ids(user, last, "earlier")

    assert (len(found), found[0], found[-1]) == (25, last, success)


def test_a_tenant_has_one_history_and_a_user_without_one_their_own(
    colleague: tuple[User, User], user: User
) -> None:
    one, two = colleague
    theirs, mine, apart = ended(one), ended(two), ended(user)

    assert ids(two, mine, "earlier") == [mine, theirs]
    assert ids(user, apart, "earlier") == [apart]
