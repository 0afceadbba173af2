"""Who gets what answer from every route and every room: one table, and a route without a row fails."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest
import socketio

from app.auth.principal import ROLES
from tests.api import patient
from tests.api.access_table import (
    ANNOUNCE,
    CANCEL,
    MAY,
    READERS,
    REPORT,
    ROOMS,
    TABLE,
    TAKES_AWAY,
    TENANTLESS_TASK,
    WHO,
)
from tests.support.system import ROOT, System, User

People = dict[str, User | None]
TASK = "/api/v2/tasks/<uuid:task_id>"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls, and what the owner has: a task that has ended, with its last sequence, and a webhook.
    ``tenantless_task`` is one of ``other``."""

    people: People
    task_id: str
    head: int
    hook: str
    tenantless_task: str


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
        yield Cast(people, task_id, head, str(made.json()["id"]), tenantless_task)


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


def test_no_route_is_without_a_row(system: System) -> None:
    script = """import json
from app import create_app
rules = [rule for rule in create_app().url_map.iter_rules() if rule.endpoint != "socketio"]  # has rooms, not rows
print(json.dumps([f"{m} {r.rule}" for r in rules for m in r.methods - {"HEAD", "OPTIONS"}]))"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=system.environment(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {row.partition("?")[0] for row in TABLE}


@pytest.mark.parametrize("row", TABLE)
def test_every_route(system: System, cast: Cast, row: str) -> None:
    found = answers(system, cast, row, cast.task_id)

    if row.endswith("/retry"):  # another one's of just now may not have ended
        found = {who: 202 if status == 409 else status for who, status in found.items()}
    assert found == dict(zip(WHO, TABLE[row], strict=True))


@pytest.mark.parametrize("row", TENANTLESS_TASK)
def test_every_route_to_a_task_without_a_tenant(system: System, everybody: Cast, row: str) -> None:
    found = answers(system, everybody, row, everybody.tenantless_task)

    assert found == dict(zip(WHO, TENANTLESS_TASK[row], strict=True))


def answers(system: System, cast: Cast, row: str, task_id: str) -> dict[str, int]:
    """The status that each gets; a refusal does not tell of the task."""
    method, _, rule = row.partition(" ")
    owner = cast.people["owner"]
    assert owner
    (notice, *_) = owner.get("notifications")["notifications"]
    path = (
        rule.replace("<uuid:webhook_id>", cast.hook)
        .replace("<uuid:notification_id>", notice["id"])
        .replace("<path:name>", "none.js")
    )
    path = path.replace("<uuid:task_id>", task_id).format(head=cast.head, task_id=task_id)
    found = {}
    for who in WHO:
        person = cast.people[who]
        headers = {"Authorization": f"Bearer {person.token}"} if person else {}
        posts = ("start", "login", "announcements", "webhooks", "generate", "events")
        body = {"json": {}} if row.endswith(posts) and method == "POST" else {}
        with patient.stream(method, system.url + path, headers=headers, timeout=30, **body) as answer:
            if answer.headers.get("Content-Type") != "text/event-stream":  # which may have no end
                answer.read()
        found[who] = answer.status_code
        if answer.status_code in (401, 403, 404):
            assert answer.headers["Content-Type"] == "application/problem+json", who
            assert task_id not in answer.text, who
    return found


@pytest.mark.parametrize("event", ROOMS)
def test_every_room(system: System, everybody: Cast, event: str) -> None:
    answers: dict[str, int | None] = {}
    for who in WHO:
        person = everybody.people[who]
        token = person.token if person else ""
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

    assert answers == dict(zip(WHO, ROOMS[event], strict=True))
