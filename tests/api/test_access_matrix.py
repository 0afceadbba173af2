"""Who gets what answer from every route and every room, with a session or an API key: one table, and a route without a
row fails."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest
import socketio

from app.auth.principal import ROLES
from app.http import base
from tests.api import patient
from tests.api.access_table import (
    ANNOUNCE,
    CALLS,
    CANCEL,
    KEY_OWNERS,
    MAY,
    READERS,
    REPORT,
    ROOMS,
    SCOPES,
    TABLE,
    TAKES_AWAY,
    TENANTLESS_TASK,
    WHO,
    scope_of,
    with_key,
)
from tests.support.keys import make
from tests.support.system import ROOT, System, User

People = dict[str, User | None]
Who = TypeVar("Who")
TASK = "/api/v2/tasks/<uuid:task_id>"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls, and what the owner has: a task that has ended, with its last sequence, a webhook and an API key.
    ``tenantless_task`` is one of ``other``, ``keys`` are by owner and scope."""

    people: People
    task_id: str
    head: int
    hook: str
    key_id: str
    tenantless_task: str
    keys: dict[tuple[str, str], str]


@contextmanager
def cast_of(system: System) -> Iterator[Cast]:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        owner = system.user("operator", here)
        people: People = {"anonymous": None, "other": (other := system.user()), "owner": owner}
        for role in ("worker", "admin"):
            people[f"tenantless_{role}"] = system.user(role)
        people["stranger"] = system.user("operator", uuid.uuid4().hex)
        people["rival"] = system.user("admin", uuid.uuid4().hex)
        for role in ("viewer", "operator", "worker", "admin"):
            people[role] = system.user(role, here)
        people["global_admin"] = system.user("global_admin")
        for person in people.values():
            if person:
                stack.enter_context(closing(person.client))
        task_id, tenantless_task = owner.start("test_echo"), other.start("test_echo")
        head = owner.finished(task_id)["sequence"]
        other.finished(tenantless_task)
        hook = {"url": "https://x.invalid/", "event_types": ["notification"]}
        made = owner.client.post("/api/v2/webhooks", json=hook)
        keys = {
            (name, scope): str(make(person, scope)["key"])
            for name, person in people.items()
            if person and name in KEY_OWNERS
            for scope in SCOPES
        }
        hook_id, key_id = str(made.json()["id"]), str(make(owner)["id"])
        yield Cast(people, task_id, head, hook_id, key_id, tenantless_task, keys)


@pytest.fixture(scope="module")
def everybody(system: System) -> Iterator[Cast]:
    with cast_of(system) as everybody:
        yield everybody


@pytest.fixture
def cast(system: System, everybody: Cast, request: pytest.FixtureRequest) -> Iterator[Cast]:
    """The file's own, or another one for a row that takes something away from it."""
    if request.node.callspec.params.get("row") in TAKES_AWAY:
        with cast_of(system) as cast:
            yield cast
    else:
        yield everybody


def test_each_role_has_a_row_of_its_own_and_no_row_is_for_nobody() -> None:
    """What follows takes from the page what it expects, so what the page must say of an admin stands here."""
    assert tuple(MAY) == (
        *("viewer", "operator", "worker", "worker without a tenant"),
        *("admin", "admin without a tenant", "global_admin"),
    )
    assert {role.partition(" ")[0] for role in MAY} == set(ROLES)
    assert {role for role, row in MAY.items() if row["all tasks"]} == {"global_admin"}
    assert MAY["global_admin"]["all tasks"] == "looks, acts"
    assert MAY["admin"]["reports on tasks of"] == "its tenant"
    assert READERS == (401, 404, 404, 404, 404, 404, 200, 200, 200, 404, 200, 200)
    assert CANCEL == (401, 404, 404, 404, 404, 404, 409, 403, 409, 404, 409, 409)
    assert REPORT == (401, 404, 404, 404, 404, 404, 403, 403, 403, 422, 422, 422)
    assert ANNOUNCE == (401, 403, 403, 422, 403, 403, 403, 403, 403, 403, 403, 422)


def test_a_task_without_a_tenant_is_its_owners_and_a_worker_without_one_reports_on_it() -> None:
    looks, report, cancel = (
        TENANTLESS_TASK[call] for call in (f"GET {TASK}/status", f"POST {TASK}/events", f"POST {TASK}/cancel")
    )

    assert looks == (401, 200, *(404,) * 9, 200)
    assert report == (401, 403, 422, *(404,) * 8, 422)
    assert cancel == (401, 409, *(404,) * 9, 409)


def test_the_page_has_a_row_for_each_scope() -> None:
    assert SCOPES == ("read", "start", "act", "report")
    assert CALLS["session"] == ["keys", "webhooks", "announcements", "auth/logout", "auth/refresh"]
    for row, scope in (
        ("GET /api/v2/tasks", "read"),
        ("GET /api/v2/stream?rooms=user,broadcast", "read"),
        ("POST /api/v2/auth/ticket", "read"),
        ("POST /api/v2/agent/start", "start"),
        ("POST /ai/artifact/generate", "start"),
        ("POST /api/v2/tasks/<uuid:task_id>/retry", "act"),
        ("POST /api/v1/notifications/<uuid:notification_id>/read/", "act"),
        ("POST /api/v2/tasks/<uuid:task_id>/events", "report"),
        ("GET /api/v2/webhooks", "session"),
        ("POST /api/v2/auth/logout", "session"),
        ("GET /", "public"),
    ):
        assert scope_of(row) == scope


def test_no_route_is_without_a_row_and_each_declares_the_scope_of_the_page(system: System) -> None:
    """A view that declares no scope keeps the process from starting: test_a_view_without_a_scope_is_refused."""
    script = """import json
from app import create_app
app = create_app()
rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "socketio"]  # has rooms, not rows
scope = lambda rule: getattr(app.view_functions[rule.endpoint], "scope", "public")
print(json.dumps({f"{m} {r.rule}": scope(r) for r in rules for m in r.methods - {"HEAD", "OPTIONS"}}))"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=system.environment(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    declared = json.loads(done.stdout)
    assert set(declared) == {row.partition("?")[0] for row in TABLE}
    told = {row.partition("?")[0]: scope_of(row) for row in TABLE}
    told["POST /api/v2/auth/refresh"] = "public"  # by cookie alone, and a key is refused
    assert declared == told


def test_a_view_without_a_scope_is_refused() -> None:
    blp = base.Blueprint("any", __name__)

    with pytest.raises(TypeError, match=r"/any declares no scope"):
        blp.get("/any")(lambda: "")
    blp.get("/any")(base.reading(lambda principal: ""))


@pytest.mark.parametrize("row", TABLE)
def test_every_route(system: System, cast: Cast, row: str) -> None:
    found = answers(system, cast, row, cast.task_id, tokens_of(cast))

    assert found == dict(zip(WHO, TABLE[row], strict=True))


@pytest.mark.parametrize("row", TENANTLESS_TASK)
def test_every_route_to_a_task_without_a_tenant(system: System, everybody: Cast, row: str) -> None:
    found = answers(system, everybody, row, everybody.tenantless_task, tokens_of(everybody))

    assert found == dict(zip(WHO, TENANTLESS_TASK[row], strict=True))


@pytest.mark.parametrize("row", TABLE)
def test_every_route_with_each_single_scope(system: System, everybody: Cast, row: str) -> None:
    found = answers(system, everybody, row, everybody.task_id, everybody.keys)

    assert found == {(owner, scope): with_key(row, owner, scope) for owner, scope in everybody.keys}


def tokens_of(cast: Cast) -> dict[str, str | None]:
    return {who: person.token if (person := cast.people[who]) else None for who in WHO}


def answers(
    system: System, cast: Cast, row: str, task_id: str, tokens: Mapping[Who, str | None]
) -> dict[Who, int]:
    """The status that each gets who has one of the tokens; a refusal does not tell of the task."""
    method, _, rule = row.partition(" ")
    owner = cast.people["owner"]
    assert owner
    (notice, *_) = owner.get("notifications")["notifications"]
    path = (
        rule.replace("<uuid:webhook_id>", cast.hook)
        .replace("<uuid:key_id>", cast.key_id)
        .replace("<uuid:notification_id>", notice["id"])
        .replace("<path:name>", "none.js")
    )
    path = path.replace("<uuid:task_id>", task_id).format(head=cast.head, task_id=task_id)
    found = {}
    for who, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        posts = ("start", "login", "announcements", "webhooks", "generate", "events", "keys")
        body = {"json": {}} if row.endswith(posts) and method == "POST" else {}
        with patient.stream(method, system.url + path, headers=headers, timeout=30, **body) as answer:
            if answer.headers.get("Content-Type") != "text/event-stream":  # which may have no end
                answer.read()
        found[who] = answer.status_code
        if row.endswith("/retry") and answer.status_code == 409:
            found[who] = 202  # another one's of just now may not have ended
        if answer.status_code in (401, 403, 404):
            assert answer.headers["Content-Type"] == "application/problem+json", who
            assert task_id not in answer.text, who
    return found


@pytest.mark.parametrize("event", ROOMS)
def test_every_room(system: System, everybody: Cast, event: str) -> None:
    tokens = {who: person.token if (person := everybody.people[who]) else "" for who in WHO}

    assert rooms_of(system, everybody, event, tokens) == dict(zip(WHO, ROOMS[event], strict=True))


@pytest.mark.parametrize("event", ROOMS)
def test_every_room_with_each_single_scope(system: System, everybody: Cast, event: str) -> None:
    keys = {f"{owner} with {scope}": key for (owner, scope), key in everybody.keys.items()}

    told = {
        f"{owner} with {scope}": ROOMS[event][WHO.index(owner)] if scope == "read" else None
        for owner, scope in everybody.keys
    }
    assert rooms_of(system, everybody, event, keys) == told


def rooms_of(system: System, everybody: Cast, event: str, tokens: Mapping[str, str]) -> dict[str, int | None]:
    """What each is answered who connects with one of the tokens; None: the handshake is refused."""
    answers: dict[str, int | None] = {}
    for who, token in tokens.items():
        client = socketio.Client(reconnection=False)
        try:
            client.connect(system.url, auth={"token": token}, transports=["websocket"], wait_timeout=60)
        except socketio.exceptions.ConnectionError:
            answers[who] = None
        else:
            ack = client.call(event, {"task_id": everybody.task_id} if "task" in event else {}, timeout=60)
            answers[who] = 200 if ack["ok"] else ack["error"]["status"]
            assert client.connected
        client.disconnect()
    return answers
