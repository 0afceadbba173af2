"""Saved views: whose they are, who reads and who changes them, and what is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.support.system import System, User

VIEWS = "/api/v2/views"
FILTERS = {"status": "FAILURE", "scope": "tenant"}


@pytest.fixture
def people(system: System) -> Iterator[dict[str, User]]:
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        made = {role: system.user(role, here) for role in ("viewer", "operator", "worker", "admin")}
        made["owner"], made["rival"] = system.user("operator", here), system.user("admin", there)
        for person in made.values():
            stack.enter_context(closing(person.client))
        yield made


def save(user: User, name: str = "Failed", **more: Any) -> dict[str, Any]:
    answer = user.client.post(VIEWS, json={"name": name, "filters": FILTERS} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def names(user: User) -> list[str]:
    return [view["name"] for view in user.get("views", limit=200)["views"]]


def test_a_view_is_saved_listed_changed_and_deleted(user: User, other: User) -> None:
    made = save(user)

    assert {k: v for k, v in made.items() if k not in ("id", "created_at")} == {
        "name": "Failed", "filters": FILTERS, "shared": False, "owner": user.email, "mine": True, "may_change": True,
    }  # fmt: skip
    assert user.get("views")["views"] == [made]
    assert names(other) == []
    changed = {"name": "All failed", "filters": {"status": "FAILURE"}, "shared": False}
    answer = user.client.put(f"{VIEWS}/{made['id']}", json=changed)
    assert (answer.status_code, answer.json()) == (200, made | changed)
    assert user.client.delete(f"{VIEWS}/{made['id']}").status_code == 204
    assert names(user) == []
    problem(user.client.delete(f"{VIEWS}/{made['id']}"), 404)


def test_a_private_view_is_its_owners_alone(people: dict[str, User]) -> None:
    view = save(people["owner"])["id"]
    body = {"name": "x", "filters": {}}

    for name in ("viewer", "operator", "admin", "rival"):
        assert names(people[name]) == []
        problem(people[name].client.put(f"{VIEWS}/{view}", json=body), 404)
        problem(people[name].client.delete(f"{VIEWS}/{view}"), 404)


def test_a_shared_view_is_read_by_the_tenant_and_changed_by_owner_and_admin(people: dict[str, User]) -> None:
    view = save(people["owner"], shared=True)["id"]
    body = {"name": "Renamed", "filters": FILTERS, "shared": True}

    for name in ("viewer", "operator", "admin"):
        (seen,) = people[name].get("views")["views"]
        assert (seen["owner"], seen["mine"]) == (people["owner"].email, False)
        assert seen["may_change"] == (name == "admin")
    for name in ("worker", "rival"):
        assert names(people[name]) == []
        problem(people[name].client.put(f"{VIEWS}/{view}", json=body), 404)
    for name in ("viewer", "operator"):
        problem(people[name].client.put(f"{VIEWS}/{view}", json=body), 403)
        problem(people[name].client.delete(f"{VIEWS}/{view}"), 403)
    assert people["admin"].client.put(f"{VIEWS}/{view}", json=body).status_code == 200
    assert names(people["owner"]) == ["Renamed"]
    answer = people["admin"].client.put(f"{VIEWS}/{view}", json=body | {"shared": False})
    assert (answer.status_code, answer.json()["shared"]) == (200, False), "whoever ends the sharing"
    assert names(people["operator"]) == names(people["admin"]) == []
    assert names(people["owner"]) == ["Renamed"]


def test_who_has_no_tenant_or_may_not_act_shares_none(people: dict[str, User], user: User) -> None:
    body = {"name": "x", "filters": {}, "shared": True}

    for person in (people["viewer"], people["worker"], user):
        problem(person.client.post(VIEWS, json=body), 403)
        assert person.client.post(VIEWS, json=body | {"shared": False}).status_code == 201


def test_a_name_is_the_owners_once(user: User, other: User) -> None:
    save(user, "Failed")
    second = save(user, "Long")["id"]
    save(other, "Failed")
    taken = {"name": "Failed", "filters": {}}

    assert "Failed" in problem(user.client.post(VIEWS, json=taken), 409)["detail"]
    problem(user.client.put(f"{VIEWS}/{second}", json=taken), 409)
    assert user.client.put(f"{VIEWS}/{second}", json=taken | {"name": "Long"}).status_code == 200


def test_a_user_has_at_most_a_hundred_and_their_pages_join(system: System, user: User) -> None:
    for n in range(100):
        save(user, f"View {n}")

    assert "100" in problem(user.client.post(VIEWS, json={"name": "x", "filters": {}}), 409)["detail"]
    seen: list[str] = []
    address = f"{VIEWS}?limit=30"
    while address:
        answer = user.client.get(address)
        seen += [view["name"] for view in answer.json()["views"]]
        address = answer.links["next"]["url"] if answer.json()["next"] else ""
    assert seen == [f"View {n}" for n in reversed(range(100))]


def test_a_repeat_with_the_same_key_saves_one(user: User) -> None:
    headers = {"Idempotency-Key": "the same"}

    first, second = (
        user.client.post(VIEWS, json={"name": "Once", "filters": {}}, headers=headers) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert names(user) == ["Once"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": {}}, "name"),
        ({"name": "", "filters": {}}, "name"),
        ({"name": " ", "filters": {}}, "name"),
        ({"name": "a\nb", "filters": {}}, "name"),
        ({"name": "x" * 101, "filters": {}}, "name"),
        ({"name": "x"}, "filters"),
        ({"name": "x", "filters": []}, "filters"),
        ({"name": "x", "filters": {"a b": "1"}}, "filters"),
        ({"name": "x", "filters": {"q": 1}}, "filters"),
        ({"name": "x", "filters": {"q": "a\0"}}, "filters"),
        ({"name": "x", "filters": {"q": "x" * 201}}, "filters"),
        ({"name": "x", "filters": {f"f_{'a' * n}": "1" for n in range(31)}}, "filters"),
        ({"name": "x", "filters": {}, "tenant": "acme"}, "tenant"),
    ],
)
def test_what_is_wrong_is_named(user: User, body: dict[str, Any], field: str) -> None:
    errors = problem(user.client.post(VIEWS, json=body), 422)["errors"]

    assert any(name == field or name.startswith(f"{field}.") for name in errors), errors
