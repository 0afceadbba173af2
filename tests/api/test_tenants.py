"""Who shares a tenant sees its tasks; who has none shares nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.system import System, User, wait_for

TASKS = "/api/v2/tasks"


@pytest.fixture
def people(system: System) -> Iterator[dict[str, User]]:
    """Somebody of each role in one tenant, and an operator of another one."""
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        made = {role: system.user(role, here) for role in ("viewer", "operator", "worker", "admin")}
        made["owner"], made["stranger"] = system.user("operator", here), system.user("operator", there)
        for person in made.values():
            stack.enter_context(closing(person.client))
        yield made


def ids(user: User, path: str, rows: str, **query: object) -> list[str]:
    return [row["task_id"] for row in user.get(path, **query)[rows]]


def test_readers_of_the_tenant_list_its_tasks_and_the_list_stays_ones_own(people: dict[str, User]) -> None:
    task_id = people["owner"].start("test_echo")
    mine = people["operator"].start("test_echo")

    for name in ("viewer", "operator", "owner", "admin"):
        assert ids(people[name], "tasks", "tasks", scope="tenant") == [mine, task_id], name
        assert ids(people[name], "jobs/history", "jobs", scope="tenant") == [mine, task_id], name
    assert ids(people["operator"], "tasks", "tasks") == [mine]
    assert ids(people["viewer"], "jobs/history", "jobs") == []
    assert ids(people["stranger"], "tasks", "tasks", scope="tenant") == []


def test_without_a_tenant_or_the_role_there_is_no_such_list(people: dict[str, User], user: User) -> None:
    for person in (people["worker"], user):
        problem(person.client.get(TASKS, params={"scope": "tenant"}), 403)
        problem(person.client.get("/api/v2/jobs/history", params={"scope": "tenant"}), 403)
    problem(user.client.get(TASKS, params={"scope": "everybody"}), 422, "scope")


def test_two_accounts_without_a_tenant_share_nothing(user: User, other: User) -> None:
    task_id = user.start("test_echo")

    problem(other.client.get(f"{TASKS}/{task_id}/status"), 404)
    problem(other.client.post(f"{TASKS}/{task_id}/cancel"), 404)


def test_the_pages_of_a_tenant_join_without_gap_or_repeat(people: dict[str, User]) -> None:
    made = [people[name].start("test_echo") for name in ("owner", "operator", "worker") * 3]
    seen: list[str] = []
    address = f"{TASKS}?scope=tenant&limit=2"
    while address:
        answer = people["viewer"].client.get(address)
        seen += [task["task_id"] for task in answer.json()["tasks"]]
        address = answer.links["next"]["url"] if answer.json()["next"] else ""

    assert seen == made[::-1]


def test_a_viewer_of_the_tenant_looks_and_an_operator_acts(people: dict[str, User]) -> None:
    task_id = people["owner"].start("test_endless")
    wait_for("its start", lambda: people["viewer"].status(task_id)["task"]["is_running"])

    for what in ("cancel", "retry"):
        problem(people["viewer"].client.post(f"{TASKS}/{task_id}/{what}"), 403)
        problem(people["worker"].client.post(f"{TASKS}/{task_id}/{what}"), 404)
    assert people["operator"].client.post(f"{TASKS}/{task_id}/cancel").status_code == 202

    assert people["owner"].finished(task_id)["task"]["status"] == "REVOKED"
    lines = [line["message"] for line in people["owner"].get(f"tasks/{task_id}/logs")["logs"]]
    assert f"Cancel requested by {people['operator'].email}" in lines


def test_whoever_retries_a_task_it_stays_its_owners(people: dict[str, User]) -> None:
    task_id = people["owner"].start("test_fail")
    people["owner"].finished(task_id)

    answer = people["operator"].client.post(f"{TASKS}/{task_id}/retry")

    again = answer.json()["task_id"]
    assert people["operator"].client.get(answer.headers["Location"]).status_code == 200
    assert people["owner"].finished(again)["task"]["user_id"] == people["owner"].id
    assert ids(people["owner"], "tasks", "tasks") == [again, task_id]


def test_a_task_stays_in_the_tenant_it_was_made_in(people: dict[str, User], system: System) -> None:
    owner = people["owner"]
    task_id = owner.start("test_echo")
    owner.finished(task_id)
    owner.client.close()
    (moved,) = system.sql(
        "UPDATE users SET tenant = (SELECT tenant FROM users WHERE id = %s) WHERE id = %s RETURNING tenant",
        *(people["stranger"].id, owner.id),
    )

    assert people["viewer"].status(task_id)["task"]["task_id"] == task_id
    problem(people["stranger"].client.get(f"{TASKS}/{task_id}/status"), 404)
    with closing(system.sign_in(owner.email)) as again:
        assert again.get(f"{TASKS}/{task_id}/status").status_code == 200
        assert moved[0] is not None


def test_another_tenant_signs_out(people: dict[str, User], system: System) -> None:
    viewer = people["viewer"]

    system.sql("UPDATE users SET tenant = NULL WHERE id = %s", viewer.id)

    wait_for("the refusal", lambda: viewer.client.get(TASKS).status_code == 401, LIMIT)
    with closing(system.sign_in(viewer.email)) as again:
        problem(again.get(TASKS, params={"scope": "tenant"}), 403)


def test_a_retry_stays_in_the_tenant_of_the_old_task(people: dict[str, User], system: System) -> None:
    """Its parameters are those that the old tenant gave."""
    task_id = people["owner"].start("test_fail")
    people["owner"].finished(task_id)
    (elsewhere,) = system.sql("SELECT tenant FROM users WHERE id = %s", people["stranger"].id)[0]
    system.sql("UPDATE users SET tenant = %s WHERE id = %s RETURNING 1", elsewhere, people["owner"].id)

    answer = people["operator"].client.post(f"{TASKS}/{task_id}/retry")

    again = answer.json()["task_id"]
    assert people["viewer"].client.get(f"{TASKS}/{again}/status").status_code == 200
    problem(people["stranger"].client.get(f"{TASKS}/{again}/status"), 404)


def test_the_owner_of_a_run_is_named_to_who_may_know_the_account(
    people: dict[str, User], system: System
) -> None:
    owner = people["owner"]
    task_id = owner.start("test_echo")
    with closing(system.user("global_admin").client) as everybodys:

        def names() -> list[str | None]:
            clients = (people["viewer"].client, people["admin"].client, everybodys)
            return [client.get(f"{TASKS}/{task_id}/owner").json()["owner"] for client in clients]

        assert owner.get(f"tasks/{task_id}/owner")["owner"] == owner.email
        assert names() == [owner.email] * 3
        problem(people["stranger"].client.get(f"{TASKS}/{task_id}/owner"), 404)

        system.sql("UPDATE users SET tenant = %s WHERE id = %s RETURNING 1", uuid.uuid4().hex, owner.id)

        assert names() == [None, None, owner.email], "who has left the tenant is another user there"


def test_an_admin_is_one_of_its_tenant_alone(people: dict[str, User], system: System) -> None:
    """Neither looking nor acting, nor a word to everybody, leads into another tenant."""
    task_id = people["owner"].start("test_endless")
    with ExitStack() as stack:
        rivals = [system.user("admin", uuid.uuid4().hex), system.user("admin")]
        for rival in rivals:
            stack.enter_context(closing(rival.client))
            for what in ("status", "events", "logs", "approvals"):
                problem(rival.client.get(f"{TASKS}/{task_id}/{what}"), 404)
            for what in ("cancel", "retry", "approve", "reject"):
                problem(rival.client.post(f"{TASKS}/{task_id}/{what}"), 404)
            problem(rival.client.get("/api/v2/stream", params={"rooms": f"task:{task_id}"}), 404)
            report = {"writer": str(uuid.uuid4()), "batch": 1, "attempt": 1, "events": []}
            problem(rival.client.post(f"{TASKS}/{task_id}/events", json=report), 404)
        problem(rivals[0].client.post("/api/v2/announcements", json={"title": "to all"}), 403)
        everybodys = stack.enter_context(closing(system.user("global_admin").client))
        assert everybodys.get(f"{TASKS}/{task_id}/status").status_code == 200
        assert everybodys.post(f"{TASKS}/{task_id}/cancel").status_code == 202

    assert people["owner"].finished(task_id)["task"]["status"] == "REVOKED"
