"""Webhooks by REST: each their own, and only to where they may lead."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.cli import account
from tests.api.routes import ABSENT
from tests.support.cursors import forged
from tests.support.system import System, User

HOOKS = "/api/v2/webhooks"
GOOD = {"url": "https://hooks.example.org/x", "event_types": ["task_completed", "notification"]}


def make(user: User, **more: Any) -> Any:
    made = user.client.post(HOOKS, json=GOOD | more)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
def admin(system: System) -> Iterator[User]:
    admin = system.user("admin", uuid.uuid4().hex)
    yield admin
    admin.client.close()


def test_types_of_ones_own_have_a_dot(user: User) -> None:
    assert make(user, event_types=["invoice.paid"])["event_types"] == ["invoice.paid"]


def test_its_secret_is_shown_once(system: System, user: User) -> None:
    made = make(user)

    assert made["secret"].startswith("whsec_")
    assert (made["scope"], made["enabled"], made["failures"]) == ("user", True, 0)
    secret = made.pop("secret")
    assert user.get("webhooks")["webhooks"] == [made]
    logs = list(system.home.glob("*.log"))
    assert logs, "else nothing was looked at"
    for path in logs:
        assert secret not in path.read_text(errors="replace")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://user:word@example.org/"}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "https://example.org:6379/"}, "url"),
        ({"event_types": ["*"]}, "event_types.0"),
        ({"event_types": ["task_completed", "nonsense"]}, "event_types.1"),
        ({"event_types": ["Invoice.Paid"]}, "event_types.0"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["notification"] * 51}, "event_types"),
        ({"scope": "all"}, "scope"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_by_name(user: User, wrong: dict[str, Any], field: str) -> None:
    problem(user.client.post(HOOKS, json=GOOD | wrong), 422, field)

    assert user.get("webhooks")["webhooks"] == []


def test_a_tenants_is_for_its_admins(system: System, user: User, admin: User) -> None:
    member = system.user("operator", "acme")
    alone = system.user("admin")

    for refused in (user, member, alone):
        problem(refused.client.post(HOOKS, json=GOOD | {"scope": "tenant"}), 403)
    assert make(admin, scope="tenant")["scope"] == "tenant"

    member.client.close()
    alone.client.close()


def test_another_users_is_not_there(user: User, other: User, admin: User) -> None:
    mine = f"{HOOKS}/{make(user)['id']}"

    for stranger in (other, admin):
        problem(stranger.client.delete(mine), 404)
        problem(stranger.client.get(f"{mine}/deliveries"), 404)
        problem(stranger.client.post(f"{mine}/enable"), 404)
        problem(stranger.client.post(f"{mine}/ping"), 404)
    problem(user.client.delete(f"{HOOKS}/{ABSENT}"), 404)
    assert len(user.get("webhooks")["webhooks"]) == 1

    assert user.client.delete(mine).status_code == 204
    problem(user.client.delete(mine), 404)


def test_a_user_has_twenty_at_most(user: User) -> None:
    for _ in range(20):
        make(user)

    problem(user.client.post(HOOKS, json=GOOD), 409)


def test_a_disabled_one_is_enabled_again(system: System, user: User) -> None:
    made = make(user)
    system.sql("UPDATE webhooks SET disabled_at = now(), failures = 20 WHERE id = %s", made["id"])
    (shown,) = user.get("webhooks")["webhooks"]
    assert (shown["enabled"], shown["failures"]) == (False, 20) and shown["disabled_at"].endswith("Z")
    problem(user.client.post(f"{HOOKS}/{made['id']}/ping"), 409)

    enabled = user.client.post(f"{HOOKS}/{made['id']}/enable")

    assert enabled.status_code == 200
    assert (enabled.json()["enabled"], enabled.json()["failures"]) == (True, 0)


def test_deliveries_come_in_pages(system: System, user: User) -> None:
    made = make(user)
    system.sql(
        """INSERT INTO deliveries (webhook_id, event_type, payload, stream, sequence, due_at, status)
           SELECT %s, 'notification', '{}', 'user:x', n, NULL, 'delivered' FROM generate_series(1, 5) AS n""",
        made["id"],
    )
    address = f"{HOOKS}/{made['id']}/deliveries?limit=2"

    found = []
    while address:
        page = user.client.get(address)
        assert page.status_code == 200
        found += [d["sequence"] for d in page.json()["deliveries"]]
        address = page.headers.get("Link", "").partition(">")[0].removeprefix("<")

    assert sorted(found) == [1, 2, 3, 4, 5]
    path = f"{HOOKS}/{made['id']}/deliveries"
    for cursor in ("x", "W10", forged(path, "a", "b")):
        problem(user.client.get(path, params={"cursor": cursor}), 422, "cursor")


def test_a_ping_at_a_time(system: System, user: User) -> None:
    made = make(user)
    system.sql(
        "UPDATE webhooks SET backoff_until = 'infinity' WHERE id = %s", made["id"]
    )  # it stays on its way

    assert user.client.post(f"{HOOKS}/{made['id']}/ping").status_code == 202
    problem(user.client.post(f"{HOOKS}/{made['id']}/ping"), 409)

    (shown,) = user.get(f"webhooks/{made['id']}/deliveries")["deliveries"]
    assert (shown["event_type"], shown["stream"], shown["status"]) == ("ping", None, "pending")


def test_who_is_closed_out_has_none_that_listens(system: System, user: User) -> None:
    make(user)

    assert account(system, user.email, "--close") == ""

    ((disabled_at,),) = system.sql("SELECT disabled_at FROM webhooks WHERE user_id = %s", user.id)
    assert disabled_at is not None
