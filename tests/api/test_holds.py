"""Pausing queues and draining workers: who may, what is refused, and who sees by whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.external import STARTED, Worker
from tests.api.reporters import Reporter
from tests.support.keys import make
from tests.support.system import System, User, wait_for

QUEUE = "elsewhere"  # whose tasks are claimed over REST: the pause of another one would hold up other tests


@pytest.fixture
def admin(system: System) -> Iterator[User]:
    """Of all tenants; what it holds is let go."""
    admin = system.user("global_admin")
    with closing(admin.client):
        yield admin
        system.sql("DELETE FROM holds")


def queue(user: User, name: str = QUEUE) -> dict[str, Any]:
    """A round reports it, soon after the start."""

    def found() -> dict[str, Any] | None:
        rows = user.get("queues", limit=200)["queues"]
        return next((row for row in rows if row["name"] == name and row["own"]), None)

    return wait_for(f"the queue {name}", found)


def own_worker(user: User) -> dict[str, Any]:
    return next(row for row in user.get("workers", limit=200)["workers"] if row["own"])


def test_a_paused_queue_says_by_whom_and_since_when(system: System, admin: User, user: User) -> None:
    first = admin.client.put(f"/api/v2/queues/{QUEUE}/pause")
    other = system.user("admin")  # without a tenant, so of all that have none
    with closing(other.client):
        again = other.client.put(f"/api/v2/queues/{QUEUE}/pause")

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json(), "the first pause stays as it is"
    paused = first.json()["paused"]
    assert paused["by"] == admin.email and paused["since"].endswith("Z")
    assert queue(user)["paused"] == paused
    stranger = system.user("operator", uuid.uuid4().hex)
    with closing(stranger.client):
        assert queue(stranger)["paused"] == {"by": None, "since": paused["since"]}

    assert admin.client.delete(f"/api/v2/queues/{QUEUE}/pause").status_code == 204
    assert queue(user)["paused"] is None
    assert admin.client.delete(f"/api/v2/queues/{QUEUE}/pause").status_code == 204


def test_the_trail_has_each_hold_once_and_by_whom(admin: User) -> None:
    worker = own_worker(admin)["name"]
    for path in (f"queues/{QUEUE}/pause", f"workers/{worker}/drain"):
        for send in (admin.client.put, admin.client.put, admin.client.delete, admin.client.delete):
            assert send(f"/api/v2/{path}").is_success

    entries = [row for row in admin.get("trail")["entries"] if row["user_name"] == admin.email]

    told = [
        (row["action"], row["kind"], row["title"]) for row in reversed(entries) if row["kind"] != "session"
    ]
    assert told == [
        *(("pause", "queue", QUEUE), ("resume", "queue", QUEUE)),
        *(("drain", "worker", worker), ("undrain", "worker", worker)),
    ]


def test_who_may_not_hold_is_in_the_trail_with_what_was_asked_for(system: System, admin: User) -> None:
    tenant = uuid.uuid4().hex
    with closing(system.user("viewer", tenant).client) as viewer:
        assert viewer.delete(f"/api/v2/queues/{QUEUE}/pause").status_code == 403
        assert viewer.put(f"/api/v2/workers/{'w' * 300}/drain").status_code == 403

    def refused() -> list[tuple[str, str, str]] | None:
        rows = [row for row in admin.get("trail", action="refused")["entries"] if row["tenant"] == tenant]
        return sorted((row["kind"], row["target"], row["title"]) for row in rows) if len(rows) == 2 else None

    assert wait_for("both", refused) == [
        ("queue", QUEUE, "DELETE /api/v2/queues/{name}/pause"),
        ("worker", "w" * 255, "PUT /api/v2/workers/{name}/drain"),
    ]


def test_a_drained_worker_says_so(admin: User, user: User) -> None:
    """Of a worker that does not run here: another test needs the one that does."""
    name = "celery@nowhere"
    problem(admin.client.put(f"/api/v2/workers/{name}/drain"), 404)
    worker = own_worker(user)["name"]

    drained = admin.client.put(f"/api/v2/workers/{worker}/drain").json()["drained"]
    seen = own_worker(user)["drained"]
    consumers = queue(user, "quick")["consumers"]
    released = admin.client.delete(f"/api/v2/workers/{worker}/drain")

    assert drained["by"] == admin.email and seen == drained
    assert consumers == 0
    assert released.status_code == 204 and own_worker(user)["drained"] is None
    assert queue(user, "quick")["consumers"] == 1


@pytest.mark.parametrize(
    ("path", "kind"), [("queues/{}/pause", "queue"), ("workers/{}/drain", "worker")], ids=["queue", "worker"]
)
def test_what_others_run_is_refused_in_words(admin: User, user: User, path: str, kind: str) -> None:
    name = f"shop {uuid.uuid4()}/a"
    Reporter(user).send(workers=[{"name": name}], queues=[{"name": name, "depth": 1}])

    for send in (admin.client.put, admin.client.delete):
        refused = problem(send(f"/api/v2/{path.format(name)}"), 409)
        assert refused["detail"].startswith(f"This {kind} belongs to a project that only reports here")
        for beyond in ("%00", "a%00b"):
            problem(send(f"/api/v2/{path.format(beyond)}"), 404)
        unknown = problem(send(f"/api/v2/{path.format(f'{name}b')}"), 404)
        assert unknown["detail"] == f"There is no such {kind}"


def test_a_key_needs_the_scope_act_and_the_role_of_its_owner(system: System, admin: User, user: User) -> None:
    of_tenant = system.user("admin", uuid.uuid4().hex)
    asked = [(admin, "act", 200), (user, "act", 200), (admin, "report", 403), (of_tenant, "act", 403)]
    with closing(of_tenant.client):
        answers = [paused_with_key(owner, scope) for owner, scope, _ in asked]

    assert answers == [status for *_, status in asked]


def paused_with_key(owner: User, scope: str) -> int:
    """Pauses the queue with a key of this scope; returns the status of the answer."""
    key = make(owner, scope)["key"]
    headers = {"Authorization": f"Bearer {key}"}
    return owner.client.put(f"/api/v2/queues/{QUEUE}/pause", headers=headers).status_code


def test_from_a_paused_queue_nothing_is_claimed_over_rest(admin: User, system: System) -> None:
    worker = system.user("worker")
    with closing(worker.client):
        task_id = worker.start("test_outside")
        admin.client.put(f"/api/v2/queues/{QUEUE}/pause")

        refused = problem(Worker(worker, task_id).send(STARTED), 409)
        admin.client.delete(f"/api/v2/queues/{QUEUE}/pause")
        taken = Worker(worker, task_id).send(STARTED)

    assert refused["detail"] == f"The queue {QUEUE} is paused: nothing is claimed from it"
    assert taken.status_code == 202
