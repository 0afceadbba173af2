"""Streams and sockets of API keys: they end with the key, in every process, and follow the rights of its owner."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest
import socketio

from tests.api.answers import problem
from tests.api.cli import account
from tests.realtime.conftest import Open
from tests.realtime.test_access import refused
from tests.support.keys import KEYS, KeyHolder, holder
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer

pytestmark = pytest.mark.slow

LOSSES: dict[str, Callable[[System, User, KeyHolder], object]] = {
    "revoked": lambda system, owner, key: owner.client.delete(f"{KEYS}/{key.key_id}"),
    "revoked without a message": lambda system, owner, key: system.sql(
        "UPDATE api_keys SET revoked_at = now() WHERE id = %s", key.key_id
    ),
    "expired": lambda system, owner, key: system.sql(
        "UPDATE api_keys SET expires_at = now() WHERE id = %s", key.key_id
    ),
    "deleted": lambda system, owner, key: system.sql("DELETE FROM api_keys WHERE id = %s", key.key_id),
    "owner closed": lambda system, owner, key: account(system, owner.email, "--close"),
    "owner in another tenant": lambda system, owner, key: system.sql(
        "UPDATE users SET tenant = 'elsewhere' WHERE id = %s", owner.id
    ),
}


@contextmanager
def quiet(owner: User) -> Iterator[str]:
    """A task that runs, and says nothing new once its phase is reported."""
    task_id = owner.start("test_quiet")
    wait_for("its phase", lambda: owner.status(task_id)["sequence"] >= 5)
    yield task_id
    owner.client.post(f"/api/v2/tasks/{task_id}/cancel")
    owner.finished(task_id)


@pytest.fixture
def owner(system: System) -> Iterator[User]:
    """Of a task in a tenant of its own."""
    owner = system.user("operator", uuid.uuid4().hex)
    with closing(owner.client):
        yield owner


@pytest.fixture
def guest(system: System, owner: User) -> Iterator[User]:
    """Another one of the tenant."""
    (tenant,) = system.sql("SELECT tenant FROM users WHERE id = %s", owner.id)[0]
    guest = system.user("operator", tenant)
    with closing(guest.client):
        yield guest


@pytest.mark.parametrize("loss", LOSSES)
def test_who_loses_the_key_is_cut_off_and_gets_nothing_more(
    system: System, watch: Open, owner: User, guest: User, loss: str
) -> None:
    with quiet(owner) as task_id, holder(guest, "read") as key:
        viewer = watch(key, task_id, 0)
        viewer.wait_events(owner.status(task_id)["sequence"])
        seen = viewer.sequences

        LOSSES[loss](system, guest, key)

        assert viewer.closed.wait(60)
        wait_for("the refusal", lambda: key.client.get("/api/v2/tasks").status_code == 401)
        owner.client.post(f"/api/v2/tasks/{task_id}/cancel")
        owner.finished(task_id)
        refused(viewer)
        assert viewer.sequences == seen


def test_a_key_follows_the_role_of_its_owner_at_once(
    system: System, watch: Open, owner: User, guest: User
) -> None:
    with quiet(owner) as task_id, holder(guest) as key:
        viewer = watch(key, task_id, 0)
        viewer.wait_events(5)

        system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", guest.id)

        assert viewer.closed.wait(60), "its rooms were joined with other rights"
        wait_for(
            "the refusal",
            lambda: key.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code == 403,
        )
        viewer.resume()
        assert viewer.is_open, "what a viewer may see goes on"


def test_who_is_global_admin_no_more_watches_its_own_tenant_alone(
    system: System, watch: Open, owner: User
) -> None:
    admin = system.user("global_admin")
    with closing(admin.client), quiet(owner) as task_id, holder(admin) as key:
        viewer = watch(key, task_id, 0)
        viewer.wait_events(5)

        system.sql("UPDATE users SET role = 'operator' WHERE id = %s", admin.id)

        assert viewer.closed.wait(60)
        wait_for("the refusal", lambda: key.client.get(f"/api/v2/tasks/{task_id}/status").status_code == 404)


@pytest.fixture(scope="module")
def second(system: System) -> Iterator[str]:
    with system.web() as url:
        yield url


def test_another_process_hears_of_a_revocation(system: System, second: str, owner: User, guest: User) -> None:
    with quiet(owner) as task_id, holder(guest, "read", url=second) as key:
        viewer = SseViewer(second, key, task_id)
        viewer.open(0)
        viewer.control("connected")

        assert guest.client.delete(f"{KEYS}/{key.key_id}").status_code == 204

        problem(key.client.get(f"{system.url}/api/v2/tasks"), 401)
        assert viewer.closed.wait(60)
        wait_for("the refusal", lambda: key.client.get("/api/v2/tasks").status_code == 401)
        viewer.close()


def test_a_ticket_of_a_key_opens_one_connection_and_ends_with_the_key(
    system: System, user: User, running: str
) -> None:
    with ExitStack() as stack:
        key = stack.enter_context(holder(user, "read"))
        first, late = (key.client.post("/api/v2/auth/ticket").json()["ticket"] for _ in range(2))
        socket = socketio.Client(reconnection=False)
        socket.connect(system.url, auth={"ticket": first}, transports=["websocket"], wait_timeout=60)
        assert socket.call("join_task", {"task_id": running}, timeout=60)["ok"]
        socket.disconnect()
        stream = f"{system.url}/api/v2/tasks/{running}/stream"
        problem(httpx.get(stream, params={"ticket": first}, timeout=60), 401)

        user.client.delete(f"{KEYS}/{key.key_id}")

        problem(httpx.get(stream, params={"ticket": late}, timeout=60), 401)


def refusal_of(url: str, auth: dict[str, Any]) -> str:
    reasons: list[str] = []
    client = socketio.Client(reconnection=False)
    client.on("connect_error", lambda data: reasons.append(data["message"]))
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(url, auth=auth, transports=["websocket"], wait_timeout=60)
    return reasons[0]


def test_without_the_scope_to_read_no_stream_nor_socket_opens(
    system: System, user: User, running: str
) -> None:
    with holder(user, "report", "start", "act") as key:
        for path in (f"tasks/{running}/stream", "events/stream", "stream?rooms=user"):
            problem(key.client.get(f"/api/v2/{path}"), 403)
        problem(key.client.post("/api/v2/auth/ticket"), 403)
        assert refusal_of(system.url, {"token": key.token}) == "This API key lacks the scope read"
    assert "API key is wrong" in refusal_of(system.url, {"token": "trk_" + "x" * 40})


def test_a_socket_of_a_key_needs_no_refresh_and_takes_no_other_rights(
    system: System, user: User, running: str
) -> None:
    with holder(user, "read") as key, holder(user) as wider:
        socket = socketio.Client(reconnection=False)
        socket.connect(system.url, auth={"token": key.token}, transports=["websocket"], wait_timeout=60)
        answers = [
            socket.call("refresh_token", {"token": token}, timeout=60)
            for token in (key.token, user.token, wider.token)
        ]
        socket.disconnect()

    assert answers[0] == {"ok": True, "expires_at": None}
    assert [answer["error"]["status"] for answer in answers[1:]] == [401, 401]
