"""Rows 16 to 19: who loses the right to watch is cut off in seconds and gets nothing more; who never had it gets in
by no way."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import socketio
import websocket
from flask import Flask

from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import Unauthorized
from app.realtime.socketio import server
from app.stream import background
from tests.realtime.conftest import Open, watch_briefly
from tests.support.parts import Parts
from tests.support.system import PASSWORD, System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

LOSSES: dict[str, Callable[[System, User], object]] = {
    "logout": lambda system, user: user.client.post("/api/v2/auth/logout"),
    "role loss": lambda system, user: system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", user.id),
    "tenant loss": lambda system, user: system.sql("UPDATE users SET tenant = NULL WHERE id = %s", user.id),
    "closed account": lambda system, user: system.sql(
        "UPDATE users SET password_hash = 'x' WHERE id = %s", user.id
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_16_who_loses_the_right_is_cut_off_and_gets_nothing_more(
    system: System, watch: Open, loss: str
) -> None:
    tenant = uuid.uuid4().hex
    owner, guest = system.user("operator", tenant), system.user("operator", tenant)
    task_id = owner.start("test_quiet")
    wait_for("its phase", lambda: owner.status(task_id)["sequence"] >= 5)
    viewer = watch(guest, task_id, 0)
    viewer.wait_events(owner.status(task_id)["sequence"])
    seen = viewer.sequences

    LOSSES[loss](system, guest)

    assert viewer.closed.wait(60)
    owner.client.post(f"/api/v2/tasks/{task_id}/cancel")
    owner.finished(task_id)
    refused(viewer)
    assert viewer.sequences == seen
    for user in (owner, guest):
        user.client.close()


def refused(viewer: Viewer) -> None:
    """Coming back with the same token and a cursor brings nothing."""
    if isinstance(viewer, SseViewer):
        viewer.resume()
        assert viewer.status == 401
    else:
        with pytest.raises(socketio.exceptions.ConnectionError):
            viewer.resume()


@pytest.mark.slow
def test_16_after_expiry_nothing_is_replayed(user: User, watch: Open, running: str) -> None:
    viewer = watch_briefly(watch, user, running)
    viewer.control("token_expired")
    assert viewer.closed.wait(60)
    seen = viewer.sequences
    user.client.post(f"/api/v2/tasks/{running}/cancel")
    user.finished(running)
    refused(viewer)
    assert viewer.sequences == seen


def test_17_a_ticket_for_a_socket_is_good_once_and_for_thirty_seconds(
    system: System, user: User, running: str
) -> None:
    used, old = (user.client.post("/api/v2/auth/ticket").json()["ticket"] for _ in range(2))
    first = socketio.Client(reconnection=False)
    first.connect(system.url, auth={"ticket": used}, transports=["websocket"], wait_timeout=60)
    assert first.call("join_task", {"task_id": running})["ok"]
    system.sql(
        """UPDATE tickets SET expires_at = tickets.expires_at - interval '30 s' FROM sessions
           WHERE sessions.id = session_id AND user_id = %s""",
        user.id,
    )
    for ticket in (used, old, "", "\0", "x" * 9000):
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(system.url, auth={"ticket": ticket}, transports=["websocket"], wait_timeout=60)
    first.disconnect()


@pytest.mark.parametrize("name", ["token", "access_token", "jwt", "auth"])
def test_17_a_token_in_an_address_opens_nothing(system: System, user: User, running: str, name: str) -> None:
    stream = httpx.get(f"{system.url}/api/v2/tasks/{running}/stream", params={name: user.token}, timeout=60)
    assert stream.status_code in (401, 422)
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(f"{system.url}?{name}={user.token}", transports=["websocket"], wait_timeout=60)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example", "x"]
)
def test_18_a_foreign_origin_opens_no_socket_with_a_cookie(system: System, user: User, origin: str) -> None:
    with httpx.Client(base_url=system.url, timeout=60) as browser:
        browser.post("/api/v2/auth/login", json={"email": user.email, "password": PASSWORD})
        cookie = f"access_token_cookie={browser.cookies['access_token_cookie']}"
        polling = browser.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
    assert polling.status_code == 400
    address = f"ws://{urlsplit(system.url).netloc}/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(address, timeout=60, origin=origin, cookie=cookie)
    own = websocket.create_connection(address, timeout=60, origin=system.url, cookie=cookie)
    assert own.recv().startswith("0")
    own.close()


def test_19_a_refused_join_leaves_the_socket_as_it_was(system: System, user: User, other: User) -> None:
    mine, theirs = user.start("test_quiet"), other.start("test_quiet")
    viewer = SocketViewer(system.url, user, mine)
    viewer.open(0)
    for _ in range(3):
        ack = viewer.client.call("join_task", {"task_id": theirs, "since_sequence": 0}, timeout=60)
        assert (ack["ok"], ack["error"]["status"]) == (False, 404)
        assert theirs not in str(ack)
    other.client.post(f"/api/v2/tasks/{theirs}/cancel")
    other.finished(theirs)
    user.client.post(f"/api/v2/tasks/{mine}/cancel")
    viewer.control("end")
    assert {event["task_id"] for event in viewer.events} == {mine}
    viewer.close()


def test_16_a_session_that_ends_while_its_token_is_checked_keeps_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (
        Principal("ann", "ann@example.org", "operator", None, sid, time.time() + 900)
        for sid in ("one", "two")
    )
    gone: list[str] = []
    ended: set[str] = set()
    parts: Any = Parts({Revocations: ended})
    io: Any = SimpleNamespace(server=SimpleNamespace(disconnect=gone.append, manager=None))
    wire: Any = SimpleNamespace(close=lambda: None)
    served = server.Sockets(*(parts, io, None, None))  # type: ignore[arg-type]
    connection = server.SocketClient("sid", wire, first, {})
    served._clients["sid"] = connection

    def checked(token: str, scope: str, **_: object) -> Principal:
        """Postgres was asked, and the sign-out came before its answer."""
        ended.add(second.session_id)
        served.end_session(second.session_id)
        return second

    monkeypatch.setattr(server.identity, "principal_of", checked)

    with Flask("sockets").app_context(), pytest.raises(Unauthorized):
        served.refresh_token(connection, {"token": "theirs"})

    assert gone == ["sid"] and not connection.open


def test_16_sockets_that_expire_together_are_closed_in_turns_but_for_who_renews_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = Principal("ann", "ann@example.org", "operator", None, "one", time.time() - 1)
    gone, turns = list[str](), list[float]()
    parts: Any = Parts({Revocations: set()})
    wire: Any = SimpleNamespace(close=lambda: None, control=lambda type, data: None)
    io: Any = SimpleNamespace(server=SimpleNamespace(disconnect=gone.append, manager=None))
    served = server.Sockets(*(parts, io, None, None))  # type: ignore[arg-type]
    for n in range(100):
        served._clients[str(n)] = server.SocketClient(str(n), wire, old, {})

    def others(seconds: float) -> None:
        turns.append(seconds)
        served._clients["99"].principal = replace(old, expires_at=time.time() + 900)

    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=others, monotonic=lambda: 0.0))
    served._end_expired()

    assert gone == [str(n) for n in range(99)]
    assert len(turns) == 5


def test_16_a_socket_that_cannot_be_closed_keeps_no_other_of_its_session_open() -> None:
    ann = Principal("ann", "ann@example.org", "operator", None, "one", time.time() + 900)
    gone: list[str] = []

    def disconnect(sid: str) -> None:
        if not gone:
            gone.append("failed")
            raise SystemError("as asked")
        gone.append(sid)

    parts: Any = Parts({Revocations: set()})
    io: Any = SimpleNamespace(server=SimpleNamespace(disconnect=disconnect, manager=None))
    served = server.Sockets(*(parts, io, None, None))  # type: ignore[arg-type]
    wire: Any = SimpleNamespace(close=lambda: None)
    for sid in ("first", "second", "third"):
        served._clients[sid] = server.SocketClient(sid, wire, ann, {})

    served.end_session("one")

    assert gone == ["failed", "second", "third"]
