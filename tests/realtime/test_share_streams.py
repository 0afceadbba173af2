"""Streams and sockets of share tokens: of one run and what is below, until the share ends, in every process."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest
import socketio

from tests.api.answers import problem
from tests.api.cli import account
from tests.realtime.conftest import Open
from tests.realtime.test_access import refused
from tests.realtime.test_key_streams import quiet
from tests.support.keys import KeyHolder
from tests.support.shares import visitor
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer

pytestmark = pytest.mark.slow

LOSSES: dict[str, Callable[[System, User, str, KeyHolder], object]] = {
    "revoked": lambda system, maker, task_id, visit: maker.client.delete(
        f"/api/v2/tasks/{task_id}/shares/{visit.key_id}"
    ),
    "revoked without a message": lambda system, maker, task_id, visit: system.sql(
        "UPDATE shares SET revoked_at = now() WHERE id = %s", visit.key_id
    ),
    "expired": lambda system, maker, task_id, visit: system.sql(
        "UPDATE shares SET expires_at = now() WHERE id = %s", visit.key_id
    ),
    "deleted": lambda system, maker, task_id, visit: system.sql(
        "DELETE FROM shares WHERE id = %s", visit.key_id
    ),
    "maker closed": lambda system, maker, task_id, visit: account(system, maker.email, "--close"),
}


@pytest.fixture
def tenant() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def owner(system: System, tenant: str) -> Iterator[User]:
    owner = system.user("operator", tenant)
    with closing(owner.client):
        yield owner


@pytest.fixture
def maker(system: System, tenant: str) -> Iterator[User]:
    """Of the shares: another one of the owner's tenant."""
    maker = system.user("operator", tenant)
    with closing(maker.client):
        yield maker


@pytest.mark.parametrize("loss", LOSSES)
def test_who_loses_the_share_is_cut_off_and_gets_nothing_more(
    system: System, watch: Open, owner: User, maker: User, loss: str
) -> None:
    with quiet(owner) as task_id, visitor(maker, task_id) as visit:
        viewer = watch(visit, task_id, 0)
        viewer.wait_events(owner.status(task_id)["sequence"])
        seen = viewer.sequences

        LOSSES[loss](system, maker, task_id, visit)

        assert viewer.closed.wait(60)
        status = f"/api/v2/tasks/{task_id}/status"
        wait_for("the refusal", lambda: visit.client.get(status).status_code == 401)
        owner.client.post(f"/api/v2/tasks/{task_id}/cancel")
        owner.finished(task_id)
        refused(viewer)
        assert viewer.sequences == seen


@pytest.fixture(scope="module")
def second(system: System) -> Iterator[str]:
    with system.web() as url:
        yield url


def test_another_process_hears_of_a_revocation(system: System, second: str, owner: User) -> None:
    with quiet(owner) as task_id, visitor(owner, task_id, url=second) as visit:
        viewer = SseViewer(second, visit, task_id)
        viewer.open(0)
        viewer.control("connected")

        assert owner.client.delete(f"/api/v2/tasks/{task_id}/shares/{visit.key_id}").status_code == 204

        status = f"/api/v2/tasks/{task_id}/status"
        problem(visit.client.get(system.url + status), 401)
        assert viewer.closed.wait(60)
        wait_for("the refusal", lambda: visit.client.get(status).status_code == 401)
        viewer.close()


def socket_of(url: str, **auth: str) -> socketio.Client:
    socket = socketio.Client(reconnection=False)
    socket.connect(url, auth=auth, transports=["websocket"], wait_timeout=60)
    return socket


def test_a_ticket_has_the_right_of_its_share_and_ends_with_it(
    system: System, user: User, running: str
) -> None:
    other = user.start("test_echo")
    with ExitStack() as stack:
        visit = stack.enter_context(visitor(user, running))
        tickets = [visit.client.post("/api/v2/auth/ticket").json()["ticket"] for _ in range(4)]
        socket = socket_of(system.url, ticket=tickets[0])
        answers = [socket.call("join_task", {"task_id": id}, timeout=60) for id in (running, other)]
        socket.disconnect()
        streams = [f"{system.url}/api/v2/tasks/{id}/stream" for id in (running, other)]

        def ask(address: str, ticket: str) -> httpx.Response:
            return httpx.get(address, params={"ticket": ticket}, timeout=60)

        assert answers[0]["ok"] and answers[1]["error"]["status"] == 404
        problem(ask(streams[0], tickets[0]), 401)
        problem(ask(streams[1], tickets[1]), 404)
        problem(ask(f"{system.url}/api/v2/events/stream", tickets[2]), 403)
        user.client.delete(f"/api/v2/tasks/{running}/shares/{visit.key_id}")
        problem(ask(streams[0], tickets[3]), 401)


def test_a_socket_takes_no_other_rights(system: System, user: User, running: str) -> None:
    with visitor(user, running) as visit, visitor(user, running) as other:
        socket = socket_of(system.url, token=visit.token)
        answers: list[dict[str, Any]] = [
            socket.call("refresh_token", {"token": token}, timeout=60)
            for token in (visit.token, user.token, other.token)
        ]
        socket.disconnect()

    assert answers[0]["ok"]
    assert [answer["error"]["status"] for answer in answers[1:]] == [401, 401]


def test_the_streams_of_a_share_are_not_its_makers(system: System, user: User, running: str) -> None:
    """A page that many people look at must not use up what its maker may open."""
    with system.web(TASKROOM_BENCH="0", STREAMS_PER_USER="1") as url, ExitStack() as stack:
        visit = stack.enter_context(visitor(user, running, url=url))
        for person in (visit, user):
            viewer = SseViewer(url, person, running)
            stack.callback(viewer.close)
            viewer.open(0)
            viewer.control("connected")
        problem(visit.client.get(f"/api/v2/tasks/{running}/stream"), 429)
