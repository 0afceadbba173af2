"""Whose a key is: seen and revoked by its owner, the admins of its tenant, and nobody else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.keys import KEYS, holder, holding, make
from tests.support.system import System, User, wait_for

TASKS = "/api/v2/tasks"
NEW: dict[str, Any] = {"name": "x", "scopes": ["read"]}


@pytest.fixture
def colleagues(system: System) -> Iterator[dict[str, User]]:
    """Somebody of each kind in one tenant, an admin of another one, and a global admin."""
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        found = {role: system.user(role, here) for role in ("viewer", "operator", "admin")}
        found |= {"rival": system.user("admin", there), "global_admin": system.user("global_admin")}
        for person in found.values():
            stack.enter_context(closing(person.client))
        yield found


def names(user: User, **query: Any) -> list[str]:
    return [row["name"] for row in user.get("keys", **query)["keys"]]


def test_a_foreign_key_is_404_as_if_it_were_not_there(user: User, other: User) -> None:
    made = make(user)
    theirs, absent = (problem(other.client.delete(f"{KEYS}/{id}"), 404) for id in (made["id"], uuid.uuid4()))

    assert theirs == absent
    assert names(other) == []
    with holding(user, made["key"]) as key:
        assert key.client.get(TASKS).status_code == 200
    assert user.client.delete(f"{KEYS}/{made['id']}").status_code == 204
    problem(user.client.delete(f"{KEYS}/{made['id']}"), 404)


def test_an_admin_sees_and_revokes_the_keys_of_its_tenant(colleagues: dict[str, User]) -> None:
    made = make(colleagues["operator"], name="theirs")
    admin, rival = colleagues["admin"], colleagues["rival"]
    make(admin, name="mine")

    assert names(admin) == ["mine"]
    assert names(admin, scope="tenant") == ["mine", "theirs"]
    assert admin.get("keys", scope="tenant")["keys"][1]["owner"] == colleagues["operator"].email
    assert names(rival, scope="tenant") == []
    for person in ("operator", "viewer"):
        problem(colleagues[person].client.get(KEYS, params={"scope": "tenant"}), 403)
    problem(colleagues["viewer"].client.delete(f"{KEYS}/{made['id']}"), 404)
    problem(rival.client.delete(f"{KEYS}/{made['id']}"), 404)

    assert admin.client.delete(f"{KEYS}/{made['id']}").status_code == 204
    with holding(colleagues["operator"], made["key"]) as key:
        wait_for("the refusal", lambda: key.client.get(TASKS).status_code == 401, LIMIT)


def test_an_admin_without_a_tenant_has_no_such_list(system: System) -> None:
    with closing(system.user("admin").client) as client:
        problem(client.get(KEYS, params={"scope": "tenant"}), 403)


def test_a_key_belongs_to_the_tenant_of_its_owner_and_a_global_admin_names_any(
    colleagues: dict[str, User], system: System
) -> None:
    operator, admin = colleagues["operator"], colleagues["global_admin"]
    (tenant,) = system.sql("SELECT tenant FROM users WHERE id = %s", operator.id)[0]

    assert make(operator)["tenant"] == make(operator, tenant=tenant)["tenant"] == tenant
    for named in ("elsewhere", None):
        problem(operator.client.post(KEYS, json=NEW | {"tenant": named}), 403)
    assert make(admin)["tenant"] is None
    with holder(admin, tenant=tenant) as key:
        task_id = operator.start("test_echo")
        assert [task["task_id"] for task in key.get("tasks", scope="tenant")["tasks"]] == [task_id]
    assert len(names(colleagues["admin"], scope="tenant")) == 3, "that one is the tenant's as well"
