"""The callers of the access matrix, and what each of them is answered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import socketio

from tests.api import patient
from tests.api.access_table import KEY_OWNERS, SCOPES, WHO
from tests.support.keys import make
from tests.support.shares import share
from tests.support.system import System, User

People = dict[str, User | None]
Who = TypeVar("Who")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls, and what the owner has: a task that has ended, with its last sequence, a webhook, an API key and a
    share of the task, and a view. ``tenantless_task`` is one of ``other``, ``keys`` are by owner and scope."""

    people: People
    task_id: str
    head: int
    hook: str
    key_id: str
    share_id: str
    share: str
    view_id: str
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
        hook_id, key_id, token = (
            str(made.json()["id"]),
            str(make(owner)["id"]),
            share(owner, task_id)["token"],
        )
        share_id = str(share(owner, task_id)["id"])
        view = owner.client.post("/api/v2/views", json={"name": "Mine", "filters": {"q": "x"}})
        mine = hook_id, key_id, share_id, token, str(view.json()["id"])
        yield Cast(people, task_id, head, *mine, tenantless_task, keys)


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
        .replace("<uuid:view_id>", cast.view_id)
        .replace("<uuid:share_id>", cast.share_id)
        .replace("<uuid:notification_id>", notice["id"])
        .replace("<path:name>", "none.js")
        .replace("<path:job_type>", "test_echo")
    )
    path = path.replace("<uuid:task_id>", task_id).format(head=cast.head, task_id=task_id)
    found = {}
    for who, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        posts = (
            "start",
            "login",
            "announcements",
            "webhooks",
            "generate",
            "events",
            "keys",
            "share",
            "bulk",
            "views",
        )
        has_body = (row.endswith(posts) and method == "POST") or method == "PUT"
        body = {"json": {}} if has_body else {}
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


def rooms_of(system: System, task_id: str, event: str, tokens: Mapping[str, str]) -> dict[str, int | None]:
    """What each is answered who connects with one of the tokens; None: the handshake is refused."""
    answers: dict[str, int | None] = {}
    for who, token in tokens.items():
        client = socketio.Client(reconnection=False)
        try:
            client.connect(system.url, auth={"token": token}, transports=["websocket"], wait_timeout=60)
        except socketio.exceptions.ConnectionError:
            answers[who] = None
        else:
            ack = client.call(event, {"task_id": task_id} if "task" in event else {}, timeout=60)
            answers[who] = 200 if ack["ok"] else ack["error"]["status"]
            assert client.connected
        client.disconnect()
    return answers
