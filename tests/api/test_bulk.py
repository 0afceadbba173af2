"""Cancel and retry of many runs: what is done, what is refused, and with whose rights."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from tests.api.answers import problem
from tests.support.bulk import BULK, ask, done, lines, outcomes
from tests.support.keys import holder
from tests.support.system import System, User, wait_for

KEY = {"Idempotency-Key": "the same"}


@pytest.fixture
def people(system: System) -> Iterator[dict[str, User]]:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        made = {role: system.user(role, here) for role in ("viewer", "operator", "admin")}
        made["owner"], made["stranger"] = system.user("operator", here), system.user("operator")
        for person in made.values():
            stack.enter_context(closing(person.client))
        yield made


def waiting(user: User, number: int = 1) -> list[str]:
    """Runs that wait, which no Celery worker takes."""
    return [user.start("test_outside", text=f"page {n}") for n in range(number)]


def statuses(user: User, ids: list[str]) -> list[str]:
    return [user.status(task_id)["task"]["status"] for task_id in ids]


def test_named_runs_are_cancelled_and_each_other_one_is_refused_with_its_reason(user: User) -> None:
    first, second, kept = waiting(user, 3)
    ended, nobodys = user.start("test_echo", text="x"), str(uuid.uuid4())
    user.finished(ended)

    result = done(user, "cancel", ids=[second, ended, first, nobodys])

    assert statuses(user, [first, second, kept]) == ["REVOKED", "REVOKED", "PENDING"]
    assert {name: result[name] for name in ("action", "runs", "cancelled", "refused", "more")} == {
        "action": "cancel", "runs": 4, "cancelled": 2, "refused": 2, "more": False,
    }  # fmt: skip
    assert result["tasks"] == [
        {"task_id": ended, "outcome": "refused", "about": "The task has ended already: SUCCESS"},
        {"task_id": nobodys, "outcome": "refused", "about": "There is no such task"},
        {"task_id": first, "outcome": "cancelled", "about": None},
        {"task_id": second, "outcome": "cancelled", "about": None},
    ]
    assert user.status(first)["task"]["error"]["message"] == f"Cancelled by {user.email}"
    title = "Task: test_outside"
    assert lines(user, result["bulk"]) == [
        f"{title} ({first}): cancelled",
        f"{title} ({second}): cancelled",
        f"Task: test_echo ({ended}): refused. The task has ended already: SUCCESS",
        f"{nobodys}: refused. There is no such task",
    ]


def test_the_run_of_a_bulk_action_has_its_progress_and_its_words(user: User) -> None:
    ids = waiting(user, 3)

    result = done(user, "cancel", ids=ids)

    found = user.status(result["bulk"])
    assert found["task"]["title"] == "Cancel 3 runs"
    assert found["task"]["params"] == {"action": "cancel", "number": 3}
    act = next(phase for phase in found["phases"] if phase["phase_id"] == "act")
    assert (act["processed_count"], act["total_count"], act["error_count"]) == (3, 3, 0)


def test_a_filter_is_of_the_runs_that_were_there(user: User) -> None:
    wanted = waiting(user, 2)
    other = user.start("test_echo", text="x")
    user.finished(other)

    result = done(user, "cancel", filter={"status": "PENDING", "job_type": "test_outside"})
    later = waiting(user)

    assert outcomes(result) == dict.fromkeys(wanted, "cancelled")
    assert user.status(result["bulk"])["task"]["title"] == (
        "Cancel all runs of mine, job_type test_outside, status PENDING"
    )
    assert statuses(user, later) == ["PENDING"]


def test_an_empty_filter_is_all_of_the_callers_own_and_never_the_bulk_action(user: User, other: User) -> None:
    mine, theirs = waiting(user, 2), waiting(other)

    result = done(user, "cancel", filter={})

    assert outcomes(result) == dict.fromkeys(mine, "cancelled")
    assert statuses(other, theirs) == ["PENDING"]


def test_a_running_run_is_asked_to_stop(user: User) -> None:
    task_id = user.start("test_endless")
    wait_for("it to run", lambda: user.status(task_id)["task"]["is_running"])

    assert outcomes(done(user, "cancel", ids=[task_id])) == {task_id: "asked"}

    assert user.finished(task_id)["task"]["status"] == "REVOKED"


def test_a_parent_and_its_steps_end_once_each(user: User) -> None:
    step = {"job_type": "test_outside", "params": {"text": "x"}}
    parent = user.start("orchestrate", steps=[step] * 3, mode="parallel")
    steps = wait_for(
        "its steps",
        lambda: found if len(found := user.get("tasks", parent_id=parent)["tasks"]) == 3 else None,
    )
    ids = [each["task_id"] for each in steps]

    result = done(user, "cancel", ids=[*ids, parent])

    assert user.finished(parent)["task"]["error"]["type"] == "Cancelled"
    assert set(outcomes(result).values()) <= {"cancelled", "asked"} and result["runs"] == 4
    for task_id in (*ids, parent):
        ends = [e for e in user.events(task_id) if e["data"].get("finished_at")]
        assert [end["data"]["status"] for end in ends] == ["REVOKED"]


def test_runs_are_retried_and_what_has_not_ended_is_refused(user: User) -> None:
    failed = [user.start("test_fail", text="x") for _ in range(2)]
    for task_id in failed:
        user.finished(task_id)
    (open_,) = waiting(user)

    result = done(user, "retry", ids=[*failed, open_])

    assert (result["retried"], result["refused"]) == (2, 1)
    found = {each["task_id"]: each for each in result["tasks"]}
    assert "has not ended: PENDING" in found[open_]["about"]
    for task_id in failed:
        new = user.finished(found[task_id]["about"])["task"]
        assert (new["retry_of"], new["trigger"], new["status"]) == (task_id, "retry", "FAILURE")


def test_somebody_elses_runs_are_refused_as_if_they_were_none(user: User, other: User) -> None:
    theirs = waiting(other)

    result = done(user, "cancel", ids=theirs)

    assert result["tasks"] == [{"task_id": theirs[0], "outcome": "refused", "about": "There is no such task"}]
    assert statuses(other, theirs) == ["PENDING"]
    assert (
        theirs[0] in lines(user, result["bulk"])[0] and "test_outside" not in lines(user, result["bulk"])[0]
    )


def test_an_operator_acts_on_the_runs_of_its_tenant_and_a_viewer_on_none(people: dict[str, User]) -> None:
    ids = waiting(people["owner"], 2)

    problem(people["viewer"].client.post(BULK, json={"action": "cancel", "ids": ids}), 403)
    problem(
        people["stranger"].client.post(BULK, json={"action": "cancel", "filter": {"scope": "tenant"}}), 403
    )
    result = done(people["operator"], "cancel", filter={"scope": "tenant", "status": "PENDING"})

    assert outcomes(result) == dict.fromkeys(ids, "cancelled")
    assert people["owner"].status(ids[0])["task"]["error"]["message"] == (
        f"Cancelled by {people['operator'].email}"
    )


def test_a_key_needs_the_scope_act_when_it_asks(user: User) -> None:
    ids = waiting(user)
    with holder(user, "read", "start") as weak, holder(user, "read", "act") as strong:
        problem(weak.client.post(BULK, json={"action": "cancel", "ids": ids}), 403)
        problem(weak.client.post("/api/v2/agent/start", json={"job_type": "bulk_action"}), 422, "job_type")

        assert outcomes(done(strong, "cancel", ids=ids)) == {ids[0]: "cancelled"}


def test_a_repeat_with_the_same_key_starts_one(user: User) -> None:
    body = {"action": "cancel", "ids": waiting(user, 3)}

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.client.post(BULK, json=body, headers=KEY), range(4)))

    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    changed = body | {"action": "retry"}
    problem(user.client.post(BULK, json=changed, headers=KEY), 422, "Idempotency-Key")


def locked(system: System, task_id: str) -> Any:
    """Keeps a bulk action from going on, for the length of a block: its next run is locked."""
    import psycopg2

    connection = psycopg2.connect(system.database_url)
    connection.cursor().execute("SELECT FROM streams WHERE name = %s FOR UPDATE", (f"task:{task_id}",))
    return closing(connection)


def test_each_task_has_its_entry_in_the_trail(user: User) -> None:
    (waits,), failed = waiting(user), user.start("test_fail", text="x")
    user.finished(failed)

    first = done(user, "cancel", ids=[waits, failed])["bulk"]
    second = done(user, "retry", ids=[failed])

    found = [(e["action"], e["target"], e["note"]) for e in user.get("trail", action="runs")["entries"]]
    assert found == [
        ("retry", failed, f"run {second['tasks'][0]['about']}, bulk action {second['bulk']}"),
        ("cancel", waits, f"bulk action {first}"),
    ]


def test_a_second_one_waits_for_the_end_of_the_first_which_can_be_cancelled(
    system: System, user: User
) -> None:
    ids = waiting(user, 40)
    with locked(system, ids[20]):
        first = ask(user, "cancel", ids=ids)
        wait_for("half of them", lambda: statuses(user, ids[19:20]) == ["REVOKED"])

        refused = user.client.post(BULK, json={"action": "cancel", "ids": ids[:1]})
        assert first in problem(refused, 409)["detail"]
        assert user.client.post(f"/api/v2/tasks/{first}/cancel").status_code == 202

    assert user.finished(first)["task"]["status"] == "REVOKED"
    assert statuses(user, ids[21:]) != ["REVOKED"] * 19, "it stopped before its end"
    assert set(outcomes(done(user, "cancel", ids=ids[30:]))) == set(ids[30:])


def test_who_loses_its_right_meanwhile_is_refused_the_rest(system: System, people: dict[str, User]) -> None:
    owner, operator = people["owner"], people["operator"]
    ids = waiting(owner, 4)
    with locked(system, ids[1]):
        task_id = ask(operator, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(owner, ids[:1]) == ["REVOKED"])
        system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", operator.id)

    result = owner.finished(task_id)["task"]["result"]

    assert result["refused"] >= 2
    assert result["tasks"][-3]["about"] == "A viewer may not change anything"
    assert statuses(owner, ids[2:]) == ["PENDING", "PENDING"]


def test_a_key_that_is_revoked_meanwhile_does_no_more(system: System, user: User) -> None:
    ids = waiting(user, 4)
    with holder(user, "read", "act") as key, locked(system, ids[1]):
        task_id = ask(key, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(user, ids[:1]) == ["REVOKED"])
        assert user.client.delete(f"/api/v2/keys/{key.key_id}").status_code == 204

    result = user.finished(task_id)["task"]["result"]

    about = {each["task_id"]: each["about"] for each in result["tasks"]}
    assert about[ids[3]] == "The API key that asked for this was revoked or has expired"
    assert statuses(user, ids[2:]) == ["PENDING", "PENDING"]


def test_nothing_else_starts_one(user: User) -> None:
    result = done(user, "cancel", ids=waiting(user))
    step = {"job_type": "bulk_action", "params": {"action": "cancel"}}

    again = user.client.post(f"/api/v2/tasks/{result['bulk']}/retry")
    whole = user.finished(user.start("orchestrate", steps=[step]))["task"]

    assert "not started again" in problem(again, 409)["detail"]
    assert whole["status"] == "FAILURE" and "POST tasks/bulk" in whole["error"]["message"]
    assert "bulk_action" not in {each["job_type"] for each in user.get("jobs/types")["job_types"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "delete", "ids": [str(uuid.uuid4())]}, "action"),
        ({"action": "cancel"}, "ids"),
        ({"action": "cancel", "ids": []}, "ids"),
        ({"action": "cancel", "ids": ["x"]}, "ids"),
        ({"action": "cancel", "ids": [str(uuid.uuid4()) for _ in range(1001)]}, "ids"),
        ({"action": "cancel", "ids": [str(uuid.uuid4())], "filter": {}}, "ids"),
        ({"action": "cancel", "filter": {"status": "GONE"}}, "filter.status"),
        ({"action": "cancel", "filter": {"limit": 3}}, "filter.limit"),
        ({"action": "cancel", "filter": {"q": "a\0b"}}, "filter.q"),
        ({"action": "cancel", "filter": {}, "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(user: User, body: dict[str, Any], field: str) -> None:
    errors = problem(user.client.post(BULK, json=body), 422)["errors"]

    assert any(name == field or name.startswith(f"{field}.") for name in errors), errors


def test_starts_are_limited(system: System, user: User) -> None:
    ids = waiting(user)
    body, headers = {"action": "cancel", "ids": ids}, {"Authorization": f"Bearer {user.token}"}
    with (
        system.web(TASKROOM_BENCH="0", STARTS_PER_MINUTE="2") as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        answers = [client.post(BULK, json=body) for _ in range(3)]

    problem(answers[2], 429)
