"""API keys: made once, shown once, used like a token."""

from __future__ import annotations

import hashlib
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from app.auth import permissions
from app.auth.principal import Principal
from app.errors import Forbidden
from tests.api import patient
from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.support.keys import KEYS, holder, make
from tests.support.system import System, User, wait_for

TASKS = "/api/v2/tasks"


def names(user: User, **query: Any) -> list[str]:
    return [row["name"] for row in user.get("keys", **query)["keys"]]


def test_a_key_is_shown_once_and_kept_as_a_hash(system: System, user: User) -> None:
    made = make(user, "read", "report", name="nightly backup")

    key = made.pop("key")
    assert re.fullmatch(r"trk_[\w-]{43}", key)
    assert made["prefix"] == key[:10]
    assert made["scopes"] == ["report", "read"]
    assert (made["owner"], made["tenant"], made["expires_at"], made["last_used_at"]) == (
        *(user.email, None, None, None),
    )
    assert user.get("keys") == {"keys": [made], "next": None}
    (row,) = system.sql("SELECT api_keys.*::text FROM api_keys WHERE id = %s", made["id"])
    assert key not in row[0]
    assert hashlib.sha256(key.encode()).hexdigest() in row[0]


def test_a_key_acts_for_its_owner(user: User) -> None:
    with holder(user) as key:
        task_id = key.start("test_echo", text="by a key")
        key.finished(task_id)
        assert user.status(task_id)["task"]["user_id"] == user.id
        assert [task["task_id"] for task in key.get("tasks")["tasks"]] == [task_id]
        assert key.client.post(f"{TASKS}/{task_id}/retry").status_code == 202


@pytest.mark.parametrize("key", ["trk_", "trk_wrong", "trk_" + "x" * 43, "trk_é", "trk_" + "x" * 5_000])
def test_a_wrong_key_is_401(system: System, key: str) -> None:
    bearer = {"Authorization": b"Bearer " + key.encode("latin-1")}

    problem(patient.get(system.url + TASKS, headers=bearer), 401)
    problem(patient.get(f"{system.url}/api/v2/events/stream", headers=bearer), 401)


def test_a_key_opens_nothing_but_as_a_bearer(system: System, user: User) -> None:
    key = make(user)["key"]
    stream = f"{system.url}/api/v2/events/stream"

    for path in (TASKS, "/api/v2/events/stream"):
        problem(patient.get(system.url + path, cookies={"access_token_cookie": key}), 401)
        problem(patient.get(system.url + path, cookies={"stream_token_cookie": key}), 401)
        for name in ("key", "token", "access_token", "ticket"):
            answer = patient.get(system.url + path, params={name: key})
            assert answer.status_code in (401, 422)
            assert key not in answer.text
    problem(patient.get(stream, params={"ticket": key}), 401)


SESSION_ONLY = [
    ("GET", "keys", None),
    ("POST", "keys", {"name": "another", "scopes": ["read"]}),
    ("DELETE", f"keys/{uuid.UUID(int=0)}", None),
    ("GET", "webhooks", None),
    ("POST", "webhooks", {"url": "https://x.invalid/", "event_types": ["notification"]}),
    ("POST", "announcements", {"title": "to all"}),
    ("POST", "auth/logout", None),
    ("POST", "auth/refresh", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SESSION_ONLY)
def test_what_needs_a_session_says_so(
    system: System, method: str, path: str, body: dict[str, Any] | None
) -> None:
    admin = system.user("global_admin")
    with closing(admin.client), holder(admin) as key:
        answer = key.client.request(method, f"/api/v2/{path}", json=body)

        assert problem(answer, 403)["detail"] == "An API key may not do this; sign in"
        assert key.get("jobs/types"), "and the key lives on"


def test_a_key_without_a_scope_is_told_which(user: User) -> None:
    with holder(user, "report") as key:
        for method, path, scope in (
            ("GET", "tasks", "read"),
            ("POST", "agent/start", "start"),
            ("POST", f"tasks/{uuid.uuid4()}/cancel", "act"),
        ):
            detail = problem(key.client.request(method, f"/api/v2/{path}"), 403)["detail"]
            assert detail == f"This API key lacks the scope {scope}"


def test_a_key_has_no_more_than_the_role_of_its_owner(system: System) -> None:
    viewer = system.user("viewer")
    with closing(viewer.client), holder(viewer) as key:
        assert key.client.get(TASKS).status_code == 200
        problem(key.client.post("/api/v2/agent/start", json={"job_type": "test_echo"}), 403)


@pytest.mark.parametrize(
    ("role", "scopes", "may"),
    [
        ("operator", None, True),
        ("viewer", None, False),
        ("operator", {"report"}, True),
        ("operator", {"read", "start", "act"}, False),
        ("viewer", {"report"}, False),
    ],
)
def test_who_may_report_tasks_of_its_own(role: str, scopes: set[str] | None, may: bool) -> None:
    who = Principal("u", "u@x.org", role, None, "s", 0.0, None if scopes is None else frozenset(scopes))

    with nullcontext() if may else pytest.raises(Forbidden):
        permissions.may_report_new(who)


NEW: dict[str, Any] = {"name": "x", "scopes": ["read"]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\0"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes.0"),
        ({"scopes": ["session"]}, "scopes.0"),
        ({"scopes": ["read"] * 5}, "scopes"),
        ({"expires_in": 59}, "expires_in"),
        ({"expires_in": 315_360_001}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"tenant": "a\nb"}, "tenant"),
        ({"tenant": " a"}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "x" * 129}, "tenant"),
    ],
)
def test_a_wrong_field_is_named(user: User, changes: dict[str, Any], field: str) -> None:
    problem(user.client.post(KEYS, json=NEW | changes), 422, field)


@pytest.mark.parametrize(
    "more", [{"name": "ü" * 100}, {"expires_in": 60}, {"expires_in": 315_360_000}, {"expires_in": None}]
)
def test_what_is_just_within_the_limits_is_taken(user: User, more: dict[str, Any]) -> None:
    made = make(user, "read", **more)

    seconds = more.get("expires_in")
    if seconds:
        lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
        assert lasts.total_seconds() == seconds
    else:
        assert made["expires_at"] is None


def test_a_user_has_fifty_live_keys_at_most(system: System, user: User) -> None:
    first = make(user)
    system.sql(
        """INSERT INTO api_keys (user_id, name, hash, prefix, scopes, expires_at)
           SELECT %s, 'x', gen_random_uuid()::text, 'x', '{read}', CASE WHEN n > 48 THEN now() END
           FROM generate_series(1, 60) AS n""",
        user.id,
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.client.post(KEYS, json=NEW).status_code, range(4)))

    assert sorted(answers) == [201, 409, 409, 409], "expired ones do not count, nor do two at once pass"
    assert user.client.delete(f"{KEYS}/{first['id']}").status_code == 204
    assert user.client.post(KEYS, json=NEW).status_code == 201


def test_a_repeat_with_an_idempotency_key_makes_no_second_one(system: System, user: User) -> None:
    header = {"Idempotency-Key": uuid.uuid4().hex}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.client.post(KEYS, json=NEW, headers=header), range(4)))

    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code != 201:
            assert made["id"] in problem(answer, 409)["detail"]
    assert names(user) == ["x"]


def test_the_list_is_newest_first_in_pages_and_without_what_was_revoked(user: User) -> None:
    made = [make(user, "read", name=str(n)) for n in range(5)]
    assert user.client.delete(f"{KEYS}/{made[1]['id']}").status_code == 204
    seen, address = list[str](), f"{KEYS}?limit=2"
    while address:
        answer = user.client.get(address)
        seen += [row["name"] for row in answer.json()["keys"]]
        address = answer.links["next"]["url"] if answer.json()["next"] else ""

    assert seen == ["4", "3", "2", "0"]


def test_the_last_use_is_shown(user: User) -> None:
    with holder(user, "read") as key:
        assert user.get("keys")["keys"][0]["last_used_at"] is None

        key.get("tasks")

        used = wait_for("its use", lambda: user.get("keys")["keys"][0]["last_used_at"], LIMIT)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(used)).total_seconds()) < 3_600
