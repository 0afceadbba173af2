"""Who gets what answer from every route and every room: one table, and a route without a row fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest
import socketio

from app.auth.principal import ROLES
from tests.api import patient
from tests.support.system import ROOT, System, User

WHO = (
    *("anonymous", "other", "stranger", "rival", "owner"),
    *("viewer", "operator", "worker", "admin", "global_admin"),
)
# other: an account without a tenant. stranger, rival: another tenant's operator and admin. From the owner on all share
# a tenant but the last, who has none.

AUTH = (ROOT / "docs/auth.md").read_text()


def roles() -> dict[str, dict[str, str]]:
    """The table of docs/auth.md: each role's cells by the heads of their columns."""
    found: dict[str, dict[str, str]] = {}
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in AUTH.splitlines()
        if line.startswith("| ")
    ]
    heads = next(cells for cells in lines if cells[0] == "role")
    for cells in lines[lines.index(heads) + 1 :]:
        if not (named := re.match(r"`(\w+)`", cells[0])) or len(cells) != len(heads):
            break
        found[named[1]] = dict(zip(heads, cells, strict=True))
    return found


MAY = roles()
ROLE = {"other": "operator", "stranger": "operator", "rival": "admin", "owner": "operator"}
TENANTLESS, ELSEWHERE = ("other", "global_admin"), ("stranger", "rival")


def may(who: str, what: str) -> bool:
    """To the owner's task, as the page says."""
    row = MAY[ROLE.get(who, who)]
    cells = [row["all tasks"]]
    if who not in (*TENANTLESS, *ELSEWHERE):
        cells.append(row["tasks of its tenant"])
    if who == "owner":
        cells.append(row["own tasks"])
    return any(what in cell.split(", ") for cell in cells)


def reports(who: str) -> bool:
    on = MAY[ROLE.get(who, who)]["reports on tasks of"]
    return on == "all" or (on == "its tenant" and who not in (*TENANTLESS, *ELSEWHERE))


def each(answer: Callable[[str], int], anonymous: int = 401) -> tuple[int, ...]:
    return (anonymous, *(answer(who) for who in WHO[1:]))


def acted(done: int) -> tuple[int, ...]:
    return each(lambda who: 404 if not may(who, "looks") else done if may(who, "acts") else 403)


def own(done: int, otherwise: int = 403) -> tuple[int, ...]:
    return each(lambda who: done if "starts" in MAY[ROLE.get(who, who)]["own tasks"] else otherwise)


OPEN = each(lambda who: 200, 200)
MEMBERS = each(lambda who: 200)
READERS = each(lambda who: 200 if may(who, "looks") else 404)
TENANT = each(
    lambda who: (
        200
        if who not in TENANTLESS and "tenant" in MAY[ROLE.get(who, who)]["`scope=` of lists"].split(", ")
        else 403
    )
)
# A status beyond permission, so that asking changes nothing: the body is empty, or the task has ended.
START = own(422)
CANCEL = acted(409)
RETRY = acted(202)
REPORT = each(lambda who: 422 if reports(who) else 403 if may(who, "looks") else 404)
ANNOUNCE = each(lambda who: 422 if MAY[ROLE.get(who, who)]["announces"] == "yes" else 403)
NOTICE = each(lambda who: 200 if who == "owner" else 404)  # each their own
HOOKS = NOTICE
ENDED = each(lambda who: 204 if may(who, "looks") else 404)


def hook_of_the_owner(done: int) -> tuple[int, ...]:
    """Who may have none at all is told so first."""
    return each(
        lambda who: (
            done if who == "owner" else 404 if "itself" in MAY[ROLE.get(who, who)]["webhooks for"] else 403
        )
    )


TABLE = {
    "GET /": OPEN,
    "GET /login": OPEN,
    "GET /runs/<uuid:task_id>": OPEN,  # the page: what it shows it has to ask for
    "GET /favicon.svg": OPEN,
    "GET /client/taskroom.js": OPEN,
    "GET /assets/<path:name>": (404,) * 10,
    "GET /api/docs": OPEN,
    "GET /api/openapi.json": OPEN,
    "GET /livez": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "POST /api/v2/auth/login": (422,) * 10,
    "POST /api/v2/auth/refresh": (401,) * 10,  # by cookie alone
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
    "POST /api/v2/announcements": ANNOUNCE,
    "GET /api/v2/notifications": MEMBERS,
    "GET /api/v2/notifications/unread-count": MEMBERS,
    "POST /api/v2/notifications/<uuid:notification_id>/read": NOTICE,
    "POST /api/v2/notifications/read-all": MEMBERS,
    "GET /api/v2/webhooks": MEMBERS,
    "POST /api/v2/webhooks": START,
    "GET /api/v2/webhooks/<uuid:webhook_id>/deliveries": HOOKS,
    "POST /api/v2/webhooks/<uuid:webhook_id>/enable": hook_of_the_owner(200),
    "POST /api/v2/webhooks/<uuid:webhook_id>/ping": hook_of_the_owner(202),
    "DELETE /api/v2/webhooks/<uuid:webhook_id>": each(lambda who: 204 if who == "owner" else 404),
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/": READERS,
    "GET /api/v1/ai/jobs/<uuid:task_id>/stream/?since_sequence={head}": ENDED,
    "GET /api/v1/notifications/stream/": MEMBERS,
    "GET /api/notifications/stream": MEMBERS,
    "GET /api/v1/events/stream": MEMBERS,
    "GET /ai/artifact/events/stream": MEMBERS,
    "POST /ai/artifact/generate": START,
    "GET /api/v1/notifications/": MEMBERS,
    "GET /api/v1/notifications/unread-count/": MEMBERS,
    "POST /api/v1/notifications/<uuid:notification_id>/read/": NOTICE,
    "POST /api/v1/notifications/read-all/": MEMBERS,
    "POST /api/v2/tasks/<uuid:task_id>/events": REPORT,
    "POST /api/v2/tasks/<uuid:task_id>/cancel": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/approve": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/reject": CANCEL,
    "POST /api/v2/tasks/<uuid:task_id>/retry": RETRY,
    "POST /api/v2/auth/logout": each(lambda who: 204),
}
ROOMS = {
    "join_task": (None, *READERS[1:]),  # None: the handshake is refused
    "join_events": (None, *MEMBERS[1:]),  # each their own
    "join_notifications": (None, *MEMBERS[1:]),
    "join_broadcast": (None, *MEMBERS[1:]),
    "leave_events": (None, *MEMBERS[1:]),
    "leave_broadcast": (None, *MEMBERS[1:]),
    "leave_task": (None, *MEMBERS[1:]),  # of a room one is not in
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
        people["rival"] = system.user("admin", uuid.uuid4().hex)
        for role in ("viewer", "operator", "worker", "admin"):
            people[role] = system.user(role, here)
        people["global_admin"] = system.user("global_admin")
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


def test_each_role_has_a_row_of_its_own_and_no_row_is_for_nobody() -> None:
    """What follows takes from the page what it expects, so what the page must say of an admin stands here."""
    assert tuple(MAY) == ROLES
    assert {role: row["all tasks"] for role, row in MAY.items()} == {
        **dict.fromkeys(("viewer", "operator", "worker", "admin"), ""),
        "global_admin": "looks, acts",
    }
    assert MAY["admin"]["reports on tasks of"] == "its tenant"
    assert READERS == (401, 404, 404, 404, 200, 200, 200, 404, 200, 200)
    assert CANCEL == (401, 404, 404, 404, 409, 403, 409, 404, 409, 409)
    assert REPORT == (401, 404, 404, 404, 403, 403, 403, 422, 422, 422)
    assert set(ANNOUNCE[1:-1]) == {403}
    assert ANNOUNCE[-1] == 422


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

    found = {who: answer.status_code for who, answer in answers.items()}
    if rule.endswith("/retry"):  # another one's of just now may not have ended
        found = {who: 202 if status == 409 else status for who, status in found.items()}
    assert found == dict(zip(WHO, TABLE[row], strict=True))
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
