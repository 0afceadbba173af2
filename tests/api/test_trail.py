"""The trail: who did what, to what, and with what outcome; who may see it, page by page and as a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.api.cli import account
from tests.support.keys import holder, make
from tests.support.shares import share
from tests.support.system import PASSWORD, System, User, wait_for

APPROVAL = {"title": "Delete the old ones", "risk_level": "critical", "estimated_cost": 0.0}


@pytest.fixture
def team(system: System) -> Iterator[dict[str, User]]:
    """Ann and Bob are operators of a tenant, Ada is its admin; Rob is the admin of another one."""
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    team = {
        "ann": system.user("operator", here),
        "bob": system.user("operator", here),
        "ada": system.user("admin", here),
        "rob": system.user("admin", there),
    }
    yield team
    for person in team.values():
        person.client.close()


def waits(user: User) -> str:
    """A task that waits for approval, and so needs no worker."""
    body = {"job_type": "test_echo", "title": "Nightly import", "params": {}, "approval": APPROVAL}
    answer = user.client.post("/api/v2/agent/start", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def entries(user: User, **query: Any) -> list[dict[str, Any]]:
    return list(user.get("trail", **query)["entries"])


def told(user: User, **query: Any) -> list[tuple[str, str, str | None]]:
    """Of each entry but the sign-ins: the action, who did it and the id of what it was done to; the oldest first."""
    found = [(entry["action"], entry["user_name"], entry["target"]) for entry in entries(user, **query)]
    return [row for row in reversed(found) if row[0] != "sign_in"]


def post(user: User, path: str, status: int = 202, **body: Any) -> Any:
    answer = user.client.post(f"/api/v2/{path}", json=body or None)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_each_deed_to_a_run_is_one_entry(team: dict[str, User]) -> None:
    ann, bob = team["ann"], team["bob"]
    rejected, approved, cancelled = waits(ann), waits(ann), waits(ann)

    post(bob, f"tasks/{rejected}/reject", reason="not on a Friday")
    post(bob, f"tasks/{approved}/approve")
    post(ann, f"tasks/{cancelled}/cancel")
    ann.finished(rejected)
    new = post(ann, f"tasks/{rejected}/retry")["task_id"]
    shared = share(ann, cancelled)
    ann.client.delete(f"/api/v2/tasks/{cancelled}/shares/{shared['id']}")
    assert bob.client.post(f"/api/v2/tasks/{rejected}/reject", json={}).status_code == 409, "it has ended"

    expected = [
        ("reject", bob.email, rejected),
        ("approve", bob.email, approved),
        ("cancel", ann.email, cancelled),
        ("retry", ann.email, rejected),
        ("share_made", ann.email, cancelled),
        ("share_revoked", ann.email, cancelled),
    ]
    assert told(ann) == expected, "what failed is none"
    reject = entries(ann, action="reject")[0]
    assert (reject["note"], reject["title"], reject["kind"]) == ("not on a Friday", "Nightly import", "task")
    assert (reject["owner_id"], reject["owner"]) == (ann.id, ann.email)
    assert entries(ann, action="retry")[0]["note"] == f"run {new}"
    assert shared["token"] not in str(entries(ann))


def test_each_change_of_an_account_and_of_what_it_has_is_one_entry(system: System, user: User) -> None:
    made = make(user, "read", name="nightly backup")
    user.client.delete(f"/api/v2/keys/{made['id']}")
    address = "https://hooks.example.org/secret-path?token=abc"
    hook = post(user, "webhooks", 201, url=address, event_types=["task_completed"])
    assert post(user, f"webhooks/{hook['id']}/disable", 200)["enabled"] is False
    assert post(user, f"webhooks/{hook['id']}/enable", 200)["enabled"] is True
    user.client.delete(f"/api/v2/webhooks/{hook['id']}")

    assert told(user) == [
        ("key_made", user.email, made["id"]),
        ("key_revoked", user.email, made["id"]),
        *((f"webhook_{what}", user.email, hook["id"]) for what in ("made", "disabled", "enabled", "removed")),
    ]
    assert entries(user, action="key_made")[0]["title"] == "nightly backup"
    assert {entry["title"] for entry in entries(user, action="webhooks")} == {"hooks.example.org"}
    text = str(entries(user))
    assert not [secret for secret in (made["key"], hook["secret"], "secret-path", "abc") if secret in text]


def test_a_deed_by_a_key_names_it(user: User) -> None:
    task_id = waits(user)
    with holder(user, "act", "read") as key:
        post(key, f"tasks/{task_id}/cancel")

        (entry,) = entries(user, action="cancel")
        assert (entry["user_id"], entry["key_id"]) == (user.id, key.key_id)
        assert entry["key_name"] and entry["address"] == "127.0.0.1"


def test_sign_ins_sign_outs_and_refused_sign_ins_are_entries(system: System) -> None:
    user = system.user()
    with ExitStack() as stack:
        stack.enter_context(closing(user.client))
        stranger = stack.enter_context(httpx.Client(base_url=system.url))
        wrong = {"email": user.email, "password": "a guess"}
        for _ in range(3):
            assert stranger.post("/api/v2/auth/login", json=wrong).status_code == 401
        user.client.post("/api/v2/auth/logout")
        back = stack.enter_context(closing(system.sign_in(user.email)))
        user = replace(user, client=back)

        wait_for("all of them", lambda: sum(e["number"] for e in entries(user, action="sign_ins")) == 6)
        found = [(e["action"], e["outcome"], e["user_id"]) for e in entries(user, action="sign_ins")]
        assert set(found) == {
            ("sign_in", "ok", user.id),
            ("sign_in", "unauthorized", user.id),
            ("sign_out", "ok", user.id),
        }
        assert not [secret for secret in ("a guess", PASSWORD, user.token) if secret in str(entries(user))]


def test_refusals_of_one_kind_are_one_entry_with_their_number(system: System, team: dict[str, User]) -> None:
    ann, ada, rob = team["ann"], team["ada"], team["rob"]
    task_id = waits(ann)
    with closing(system.user("viewer", ada.get("trail")["entries"][0]["tenant"]).client) as viewer:
        for _ in range(40):
            assert viewer.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 403
    assert rob.client.get(f"/api/v2/tasks/{task_id}/status").status_code == 404

    wait_for("all of them", lambda: sum(e["number"] for e in entries(ada, action="refused")) == 40)
    forbidden = entries(ada, action="refused")
    assert len(forbidden) <= 3, "a minute has one, and the test may see the end of one"
    first = forbidden[-1]
    assert (first["outcome"], first["title"]) == ("forbidden", "POST /api/v2/tasks/{task_id}/cancel")
    assert (first["kind"], first["target"]) == ("task", task_id)
    assert first["last_at"] >= first["at"]
    wait_for("the other tenant's", lambda: entries(rob, action="refused"))
    assert [e["outcome"] for e in entries(rob, action="refused")] == ["foreign"]
    assert entries(ann, action="refused") == [], "who was refused was no deed"


def test_who_may_see_what(system: System, team: dict[str, User]) -> None:
    ann, bob, ada, rob = team.values()
    mine, theirs = waits(ann), waits(bob)
    post(bob, f"tasks/{mine}/cancel")
    post(ann, f"tasks/{theirs}/cancel")
    own = waits(bob)
    post(bob, f"tasks/{own}/cancel")
    foreign = waits(rob)
    post(rob, f"tasks/{foreign}/cancel")
    of_bob, of_ann, of_himself = (
        ("cancel", bob.email, mine),
        ("cancel", ann.email, theirs),
        ("cancel", bob.email, own),
    )

    assert told(ann) == [of_bob, of_ann]
    assert told(bob) == [of_bob, of_ann, of_himself]
    assert told(ada) == [of_bob, of_ann, of_himself]
    assert told(rob) == [("cancel", rob.email, foreign)]
    with closing((everybody := system.user("global_admin")).client):
        for who, row in ((ann, of_ann), (rob, ("cancel", rob.email, foreign))):
            assert told(everybody, who=who.id) == [row]
    by_bob = {entry["user_name"]: entry["address"] for entry in entries(ann, action="cancel")}
    assert by_bob == {ann.email: "127.0.0.1", bob.email: None}, "an address is the user's and the admin's"
    assert {entry["address"] for entry in entries(ada, action="cancel")} == {"127.0.0.1"}


def test_an_operators_commands_are_entries(system: System) -> None:
    tenant = uuid.uuid4().hex
    with closing(system.user("admin", tenant).client) as client:
        name = f"{uuid.uuid4().hex}@example.org"
        for arguments in (
            ("--tenant", tenant, "--role", "viewer"),
            ("--tenant", tenant, "--role", "viewer"),  # changes nothing
            ("--tenant", tenant, "--role", "admin"),
            ("--close",),
        ):
            assert account(system, name, *arguments) == ""

        found = client.get("/api/v2/trail", params={"action": "accounts"}).json()["entries"]

    assert [(e["action"], e["user_name"], e["title"], e["note"]) for e in found[::-1]] == [
        ("account_made", "script/cli", name, f"viewer in {tenant}"),
        ("account_changed", "script/cli", name, f"admin in {tenant}, before viewer in {tenant}"),
        ("account_closed", "script/cli", name, ""),
    ]
    assert {e["address"] for e in found} == {None}


def test_a_deed_that_fails_leaves_no_entry(system: System, user: User) -> None:
    task_id = waits(user)
    system.sql("ALTER TABLE trail ADD CONSTRAINT none_of_it CHECK (target <> %s)", task_id)
    try:
        assert user.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 500
    finally:
        system.sql("ALTER TABLE trail DROP CONSTRAINT none_of_it")

    assert user.status(task_id)["task"]["status"] == "WAITING", "and an entry that fails no deed"
    assert told(user) == []
