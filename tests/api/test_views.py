"""Saved views: whose they are, who reads and who changes them, and what is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from app.api.views import TIMES
from tests.api.answers import problem
from tests.support.system import ROOT, System, User

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
    body = {"name": "x", "filters": FILTERS}

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
    body = {"name": "x", "filters": FILTERS, "shared": True}

    for person in (people["viewer"], people["worker"], user):
        problem(person.client.post(VIEWS, json=body), 403)
        assert person.client.post(VIEWS, json=body | {"shared": False}).status_code == 201


def test_a_name_is_the_owners_once(user: User, other: User) -> None:
    save(user, "Failed")
    second = save(user, "Long")["id"]
    save(other, "Failed")
    taken = {"name": "Failed", "filters": FILTERS}

    assert "Failed" in problem(user.client.post(VIEWS, json=taken), 409)["detail"]
    problem(user.client.put(f"{VIEWS}/{second}", json=taken), 409)
    assert user.client.put(f"{VIEWS}/{second}", json=taken | {"name": "Long"}).status_code == 200


def test_a_name_has_no_spaces_around_it(user: User) -> None:
    made = save(user, "  Failed ")
    second = save(user, "Long")["id"]

    assert made["name"] == "Failed"
    problem(user.client.post(VIEWS, json={"name": "Failed\u2003", "filters": FILTERS}), 409)
    problem(user.client.put(f"{VIEWS}/{second}", json={"name": " Failed", "filters": FILTERS}), 409)
    same = {"name": " Failed ", "filters": FILTERS}
    assert user.client.put(f"{VIEWS}/{made['id']}", json=same).json()["name"] == "Failed"
    assert names(user) == ["Long", "Failed"]


def test_runs_of_all_tenants_are_not_shared_and_may_be_saved(people: dict[str, User]) -> None:
    admin = people["admin"]
    body = {"name": "Everything", "filters": {"scope": "all", "status": "FAILURE"}}
    view = save(admin, **body)["id"]

    errors = problem(admin.client.put(f"{VIEWS}/{view}", json=body | {"shared": True}), 422)["errors"]

    assert list(errors) == ["filters.scope"]
    assert names(people["operator"]) == []


def test_a_person_of_a_view_is_one_that_its_owner_may_know(people: dict[str, User]) -> None:
    owner = people["owner"]
    colleague, stranger = ({"scope": "tenant", "who": people[name].id} for name in ("admin", "rival"))
    view = save(owner, filters=colleague, shared=True)["id"]

    for answer in (
        owner.client.post(VIEWS, json={"name": "x", "filters": stranger}),
        owner.client.put(f"{VIEWS}/{view}", json={"name": "x", "filters": stranger}),
    ):
        assert problem(answer, 422)["errors"] == {"filters.who": ["There is no such user."]}
    assert names(owner) == ["Failed"]


def test_a_user_has_at_most_a_hundred_and_their_pages_join(system: System, user: User) -> None:
    for n in range(100):
        save(user, f"View {n}")

    assert "100" in problem(user.client.post(VIEWS, json={"name": "x", "filters": FILTERS}), 409)["detail"]
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
        user.client.post(VIEWS, json={"name": "Once", "filters": FILTERS}, headers=headers) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert names(user) == ["Once"]


def test_every_filter_of_the_dashboard_is_taken_as_its_address_has_it(user: User) -> None:
    every = {"status": "FAILURE", "approval": "true", "job_type": "import", "q": "a b", "scope": "tenant"}
    every |= {"who": user.id, "time": "7d", "from": "2026-11-30T10:00:00Z", "errors": "true"}
    every |= {"to": "2026-11-30T11:00:00Z", "min_seconds": "0.5", "max_seconds": "60", "steps": "true"}
    code = (ROOT / "static/src/state/filter.ts").read_text()
    (known,) = re.findall(r"NO_FILTER: RunFilter = \{(.*?)\};", code, re.DOTALL)
    times = re.findall(r'value: "(\w+)"', (ROOT / "static/src/state/list-times.ts").read_text())

    assert save(user, filters=every)["filters"] == every
    assert every.keys() == set(re.findall(r"(\w+):", known)), "filters that the dashboard has"
    assert list(TIMES) == times


@pytest.mark.parametrize("name", ["🏳️‍🌈 nightly", "👩‍🚒", "\u200fלילה\u200f", "naïve – “quoted”"])
def test_a_name_may_have_joined_emoji_and_marks_of_direction(user: User, name: str) -> None:
    assert save(user, name)["name"] == name
    assert names(user) == [name]


def test_what_is_done_to_a_view_is_in_the_trail(people: dict[str, User]) -> None:
    owner, admin = people["owner"], people["admin"]
    made = save(owner, "Failed")
    path, same = f"{VIEWS}/{made['id']}", {"name": "Failed", "filters": FILTERS}
    for person, body in (
        (owner, same | {"shared": True}),
        (owner, same | {"shared": True}),  # changes nothing
        (admin, {"name": "Broken", "filters": {"status": "REVOKED"}, "shared": True}),
        (admin, {"name": "Broken", "filters": {"status": "REVOKED"}, "shared": False}),
    ):
        assert person.client.put(path, json=body).status_code == 200
    problem(people["operator"].client.delete(path), 404)
    assert owner.client.delete(path).status_code == 204
    problem(owner.client.delete(path), 404)

    found = owner.get("trail", action="views")["entries"][::-1]

    assert [(e["action"], e["user_name"], e["title"], e["note"]) for e in found] == [
        ("view_made", owner.email, "Failed", ""),
        ("view_shared", owner.email, "Failed", ""),
        ("view_changed", admin.email, "Failed", "now “Broken”, other filters"),
        ("view_unshared", admin.email, "Broken", ""),
        ("view_removed", owner.email, "Broken", ""),
    ]
    assert {(e["kind"], e["target"]) for e in found} == {("view", made["id"])}
    assert [e["id"] for e in admin.get("trail", action="views")["entries"]] == [e["id"] for e in found[::-1]]
    assert people["operator"].get("trail", action="views")["entries"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": FILTERS}, "name"),
        ({"name": "", "filters": FILTERS}, "name"),
        ({"name": " ", "filters": FILTERS}, "name"),
        ({"name": "a\nb", "filters": FILTERS}, "name"),
        ({"name": "x" * 101, "filters": FILTERS}, "name"),
        ({"name": "x"}, "filters"),
        ({"name": "x", "filters": []}, "filters"),
        ({"name": "x", "filters": {}}, "filters"),
        ({"name": "x", "filters": {"a b": "1"}}, "filters"),
        ({"name": "x", "filters": {"nonsense": "1", "q": "x"}}, "filters.nonsense"),
        ({"name": "x", "filters": {"limit": "3"}}, "filters.limit"),
        ({"name": "x", "filters": {"parent_id": str(uuid.uuid4())}}, "filters.parent_id"),
        ({"name": "x", "filters": {"top": "true"}}, "filters.top"),
        ({"name": "x", "filters": {"status": "BOGUS"}}, "filters.status"),
        ({"name": "x", "filters": {"scope": "nobody"}}, "filters.scope"),
        ({"name": "x", "filters": {"who": "ada"}}, "filters.who"),
        ({"name": "x", "filters": {"who": str(uuid.uuid4()), "scope": "tenant"}}, "filters.who"),
        (
            {"name": "x", "filters": {"from": "2026-11-30T11:00:00Z", "to": "2026-11-30T10:00:00Z"}},
            "filters.to",
        ),
        (
            {"name": "x", "filters": {"from": "2026-11-30T11:00:00Z", "to": "2026-11-30T11:00:00Z"}},
            "filters.to",
        ),
        ({"name": "x", "filters": {"scope": "all"}, "shared": True}, "filters.scope"),
        ({"name": "x", "filters": {"time": "8d"}}, "filters.time"),
        ({"name": "x", "filters": {"from": "yesterday"}}, "filters.from"),
        ({"name": "x", "filters": {"errors": "1"}}, "filters.errors"),
        ({"name": "x", "filters": {"steps": "yes"}}, "filters.steps"),
        ({"name": "x", "filters": {"min_seconds": "1e3"}}, "filters.min_seconds"),
        ({"name": "x", "filters": {"max_seconds": "-1"}}, "filters.max_seconds"),
        ({"name": "x", "filters": {"job_type": "x" * 156}}, "filters.job_type"),
        ({"name": "x", "filters": {"q": 1}}, "filters"),
        ({"name": "x", "filters": {"q": "a\0"}}, "filters"),
        ({"name": "x", "filters": {"q": "x" * 201}}, "filters"),
        ({"name": "x", "filters": {f"f_{'a' * n}": "1" for n in range(31)}}, "filters"),
        ({"name": "x", "filters": FILTERS, "tenant": "acme"}, "tenant"),
    ],
)
def test_what_is_wrong_is_named(user: User, body: dict[str, Any], field: str) -> None:
    errors = problem(user.client.post(VIEWS, json=body), 422)["errors"]

    assert any(name == field or name.startswith(f"{field}.") for name in errors), errors
