"""Who gets what answer from every route and every room, with a session, an API key or a share token: one table, and a
route without a row fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.auth.principal import ROLES
from app.http import base
from tests.api.access_cast import Cast, answers, cast_of, rooms_of, tokens_of
from tests.api.access_table import (
    ANNOUNCE,
    CALLS,
    CANCEL,
    MAY,
    READERS,
    REPORT,
    ROOMS,
    SCOPES,
    SHARED,
    SHARED_ROOMS,
    TABLE,
    TAKES_AWAY,
    TENANTLESS_TASK,
    WHO,
    is_shared,
    scope_of,
    with_key,
    with_share,
)
from tests.support.system import ROOT, System

TASK = "/api/v2/tasks/<uuid:task_id>"


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
def declared(rule):
    view = app.view_functions[rule.endpoint]
    return getattr(view, "scope", "public"), getattr(view, "shared", False)
print(json.dumps({f"{m} {r.rule}": declared(r) for r in rules for m in r.methods - {"HEAD", "OPTIONS"}}))"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=system.environment(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    declared = json.loads(done.stdout)
    assert set(declared) == {row.partition("?")[0] for row in TABLE}
    told = {row.partition("?")[0]: [scope_of(row), is_shared(row)] for row in TABLE}
    told["POST /api/v2/auth/refresh"] = ["public", False]  # by cookie alone, and a key is refused
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


def test_what_a_share_token_may_do_stands_on_the_page() -> None:
    """What follows takes from the page what it expects, so what the page must say stands here."""
    shown = (
        "status",
        "events",
        "tree",
        "logs",
        "logs/download",
        "logs/marks",
        "outputs",
        "outputs/<name>",
        "stream",
    )
    assert {
        *(f"GET tasks/<id>/{path}" for path in shown),
        *("GET tasks", "GET stream", "GET /api/v1/ai/jobs/<id>/stream", "POST auth/ticket"),
    } == SHARED


@pytest.mark.parametrize("row", TABLE)
def test_every_route_with_a_share_token(system: System, everybody: Cast, row: str) -> None:
    own = answers(system, everybody, row, everybody.task_id, {"share": everybody.share})
    other = answers(system, everybody, row, everybody.tenantless_task, {"share": everybody.share})

    told = with_share(row)
    assert own == {"share": told}
    names_task = "task_id" in row and told in (200, 204) and scope_of(row) != "public"
    assert other == {"share": 404 if names_task else told}


@pytest.mark.parametrize("event", ROOMS)
def test_every_room(system: System, everybody: Cast, event: str) -> None:
    tokens = {who: person.token if (person := everybody.people[who]) else "" for who in WHO}

    assert rooms_of(system, everybody.task_id, event, tokens) == dict(zip(WHO, ROOMS[event], strict=True))


@pytest.mark.parametrize("event", ROOMS)
def test_every_room_with_each_single_scope(system: System, everybody: Cast, event: str) -> None:
    keys = {f"{owner} with {scope}": key for (owner, scope), key in everybody.keys.items()}

    told = {
        f"{owner} with {scope}": ROOMS[event][WHO.index(owner)] if scope == "read" else None
        for owner, scope in everybody.keys
    }
    assert rooms_of(system, everybody.task_id, event, keys) == told


@pytest.mark.parametrize("event", ROOMS)
def test_every_room_with_a_share_token(system: System, everybody: Cast, event: str) -> None:
    token = {"share": everybody.share}
    own = rooms_of(system, everybody.task_id, event, token)
    other = rooms_of(system, everybody.tenantless_task, event, token)

    assert own == {"share": SHARED_ROOMS[event]}
    assert other == {"share": 404 if event == "join_task" else SHARED_ROOMS[event]}
