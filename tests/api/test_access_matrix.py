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

from tests.api import patient
from tests.support.system import ROOT, System, User

WHO = ("anonymous", "other", "stranger", "owner", "viewer", "operator", "worker", "admin")
# other: an account without a tenant. stranger: another tenant's operator. All from the owner on share a tenant.

OPEN = (200, 200, 200, 200, 200, 200, 200, 200)
MEMBERS = (401, 200, 200, 200, 200, 200, 200, 200)
READERS = (401, 404, 404, 200, 200, 200, 404, 200)
TENANT = (401, 403, 200, 200, 200, 200, 403, 200)
# A status beyond permission, so that asking changes nothing: the body is empty, or the task has ended.
START = (401, 422, 422, 422, 403, 422, 422, 422)
CANCEL = (401, 404, 404, 409, 403, 409, 404, 409)
RETRY = (401, 404, 404, 202, 403, 202, 404, 202)
HOOKS = (401, 404, 404, 200, 404, 404, 404, 404)  # each their own
HOOK = (401, 404, 404, 200, 403, 404, 404, 404)
ENDED = (401, 404, 404, 204, 204, 204, 404, 204)

TABLE = {
    "GET /": OPEN,
    "GET /login": OPEN,
    "GET /runs/<uuid:task_id>": OPEN,  # the page: what it shows it has to ask for
    "GET /favicon.svg": OPEN,
    "GET /client/taskroom.js": OPEN,
    "GET /assets/<path:name>": (404,) * 8,
    "GET /api/docs": OPEN,
    "GET /api/openapi.json": OPEN,
    "GET /livez": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "POST /api/v2/auth/login": (422,) * 8,
    "POST /api/v2/auth/refresh": (401,) * 8,  # by cookie alone
    "POST /api/v2/auth/ticket": MEMBERS,
    "GET /api/v2/jobs/types": MEMBERS,
    "GET /api/v2/jobs/history": MEMBERS,
    "GET /api/v2/jobs/history?scope=tenant": TENANT,
    "POST /api/v2/agent/start": START,
    "GET /api/v2/agent/active": MEMBERS,
    "GET /api/v2/tasks": MEMBERS,
    "GET /api/v2/tasks?scope=tenant": TENANT,
    "GET /api/v2/tasks/counts": MEMBERS,
    "GET /api/v2/tasks/counts?scope=tenant": TENANT,
    "GET /api/v2/tasks/<uuid:task_id>/status": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/events": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/throughput": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/viewers": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/approvals": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/logs": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/logs/download": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/stream": READERS,
    "GET /api/v2/tasks/<uuid:task_id>/stream?since_sequence={head}": ENDED,
    "GET /api/v2/events/stream": MEMBERS,
    "GET /api/v2/notifications/stream": MEMBERS,
    "GET /api/v2/stream?rooms=user,broadcast": MEMBERS,
    "GET /api/v2/stream?rooms=user,task:{task_id}": READERS,
    "POST /api/v2/announcements": (401, *[403] * 6, 422),
    "GET /api/v2/notifications": MEMBERS,
    "GET /api/v2/notifications/unread-count": MEMBERS,
    "POST /api/v2/notifications/<uuid:notification_id>/read": (401, 404, 404, 200, 404, 404, 404, 404),
    "POST /api/v2/notifications/read-all": MEMBERS,
    "GET /api/v2/webhooks": MEMBERS,
    "POST /api/v2/webhooks": (401, 422, 422, 422, 403, 422, 422, 422),
    "GET /api/v2/webhooks/<uuid:webhook_id>/deliveries": HOOKS,
    "POST /api/v2/webhooks/<uuid:webhook_id>/enable": HOOK,
    "POST /api/v2/webhooks/<uuid:webhook_id>/ping": (401, 404, 404, 202, 403, 404, 404, 404),
    "DELETE /api/v2/webhooks/<uuid:webhook_id>": (401, 404, 404, 204, 404, 404, 404, 404),
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/": READERS,
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/?since_sequence={head}": ENDED,
    "GET /api/v1/notifications/stream/": MEMBERS,
    "GET /api/notifications/stream": MEMBERS,
    "GET /api/v1/events/stream": MEMBERS,
    "GET /ai/artifact/events/stream": MEMBERS,
    "POST /ai/artifact/generate": START,
    "GET /api/v1/notifications/": MEMBERS,
    "GET /api/v1/notifications/unread-count/": MEMBERS,
    "POST /api/v1/notifications/<uuid:notification_id>/read/": (401, 404, 404, 200, 404, 404, 404, 404),
    "POST /api/v1/notifications/read-all/": MEMBERS,
    "POST /api/v2/tasks/<uuid:task_id>/events": (401, 404, 404, 403, 403, 403, 422, 422),
    "POST /api/v2/tasks/<uuid:task_id>/cancel": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/approve": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/reject": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/retry": RETRY,
    "POST /api/v2/auth/logout": (401, 204, 204, 204, 204, 204, 204, 204),
}
ROOMS = {
    "join_task": (None, 404, 404, 200, 200, 200, 404, 200),  # None: the handshake is refused
    "join_events": (None, 200, 200, 200, 200, 200, 200, 200),  # each their own
    "join_notifications": (None, 200, 200, 200, 200, 200, 200, 200),
    "join_broadcast": (None, 200, 200, 200, 200, 200, 200, 200),
    "leave_events": (None, 200, 200, 200, 200, 200, 200, 200),
    "leave_broadcast": (None, 200, 200, 200, 200, 200, 200, 200),
    "leave_task": (None, 200, 200, 200, 200, 200, 200, 200),  # of a room one is not in
}


TAKES_AWAY = ("POST /api/v2/auth/logout", "DELETE /api/v2/webhooks/<uuid:webhook_id>")
People = dict[str, User | None]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls, and what the owner has: a task that has ended, with its last sequence, and a webhook."""

    people: People
    task_id: str
    head: int
    hook: str


@contextmanager
def cast_of(system: System) -> Iterator[Cast]:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        owner = system.user("operator", here)
        people: People = {"anonymous": None, "other": system.user(), "owner": owner}
        people["stranger"] = system.user("operator", uuid.uuid4().hex)
        for role in ("viewer", "operator", "worker", "admin"):
            people[role] = system.user(role, here)
        for person in people.values():
            if person:
                stack.enter_context(closing(person.client))
        task_id = owner.start("test_echo")
        head = owner.finished(task_id)["sequence"]
        hook = {"url": "https://x.invalid/", "event_types": ["notification"]}
        made = owner.client.post("/api/v2/webhooks", json=hook)
        yield Cast(people, task_id, head, str(made.json()["id"]))


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


def test_no_route_is_without_a_row(system: System) -> None:
    script = """import json
from app import create_app
rules = create_app().url_map.iter_rules()
print(json.dumps([f"{m} {r.rule}" for r in rules for m in r.methods - {"HEAD", "OPTIONS"}]))"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=system.environment(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {row.partition("?")[0] for row in TABLE}


@pytest.mark.parametrize("row", TABLE)
def test_every_route(system: System, cast: Cast, row: str) -> None:
    method, _, rule = row.partition(" ")
    task_id, head = cast.task_id, cast.head
    owner = cast.people["owner"]
    assert owner
    (notice, *_) = owner.get("notifications")["notifications"]
    path = (
        rule.replace("<uuid:webhook_id>", cast.hook)
        .replace("<uuid:notification_id>", notice["id"])
        .replace("<path:name>", "none.js")
    )
    path = path.replace("<uuid:task_id>", task_id).format(head=head, task_id=task_id)

    answers = {}
    for who in WHO:
        person = cast.people[who]
        headers = {"Authorization": f"Bearer {person.token}"} if person else {}
        posts = ("start", "login", "announcements", "webhooks", "generate", "events")
        body = {"json": {}} if row.endswith(posts) and method == "POST" else {}
        with patient.stream(method, system.url + path, headers=headers, timeout=30, **body) as answers[who]:
            if answers[who].headers.get("Content-Type") != "text/event-stream":  # which may have no end
                answers[who].read()

    assert {who: answer.status_code for who, answer in answers.items()} == dict(
        zip(WHO, TABLE[row], strict=True)
    )
    for who, answer in answers.items():
        if answer.status_code in (401, 403, 404):
            assert answer.headers["Content-Type"] == "application/problem+json", who
            assert task_id not in answer.text, who


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
