"""Row 17: no token, ticket or password in any log, whatever is sent where."""

from __future__ import annotations

import errno
import logging
import socket
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
import socketio

from app.observability.log_format import RedactingFormatter
from tests.api import patient
from tests.support.system import PASSWORD, System, User, wait_for
from tests.support.viewers import SocketViewer


def raw(url: str, request: str) -> bytes:
    """What the server says to these bytes until it closes."""
    address = urlsplit(url)
    received = b""
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=60) as line:
        try:
            line.sendall(request.encode())
            line.shutdown(socket.SHUT_WR)
            while chunk := line.recv(65_536):
                received += chunk
        except OSError as error:  # it may close when it has heard enough, in the middle of what is too long
            assert error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN), error
    return received


def test_17_no_token_ticket_or_password_reaches_a_log(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    url, log = system.url, system.home / f"web-{urlsplit(system.url).port}.log"
    logged = log.stat().st_size
    stream, tasks = f"/api/v2/tasks/{task_id}/stream", "/api/v2/tasks"
    secrets = {PASSWORD, user.token}
    with httpx.Client(base_url=url, timeout=30) as browser:
        login = browser.post("/api/v2/auth/login", json={"email": user.email, "password": PASSWORD})
        secrets |= {login.json()["access_token"], *browser.cookies.values()}
        assert browser.get(stream).status_code == 200  # by cookie
        old = browser.cookies["refresh_token_cookie"]
        browser.post("/api/v2/auth/refresh")
        secrets |= set(browser.cookies.values())
        system.sql("UPDATE sessions SET refreshed_at = now() - interval '1 day' WHERE user_id = %s", user.id)
        browser.post("/api/v2/auth/refresh")
        secrets |= set(browser.cookies.values())
        used = patient.post(f"{url}/api/v2/auth/refresh", cookies={"refresh_token_cookie": old})
        assert used.status_code == 401
    bearer = {"Authorization": f"Bearer {user.token}"}
    assert patient.get(url + stream, headers=bearer).status_code == 200
    for _ in range(2):
        ticket = patient.post(f"{url}/api/v2/auth/ticket", headers=bearer).json()["ticket"]
        secrets.add(ticket)
        assert patient.get(url + stream, params={"ticket": ticket}).status_code == 200
        assert patient.get(url + stream, params={"ticket": ticket}).status_code == 401
    for name in ("token", "access_token", "ticket", "jwt"):
        answer = patient.get(url + tasks, params={name: user.token})
        assert answer.status_code in (401, 422), "a token in an address is refused"
        assert user.token not in answer.text
    made = user.client.post("/api/v2/keys", json={"name": "x", "scopes": ["read"]}).json()
    secrets |= {made["key"], made["key"][:-1]}
    for key in (made["key"], made["key"][:-1]):
        headers = {"Authorization": f"Bearer {key}"}
        patient.get(url + tasks, headers=headers)
        patient.post(f"{url}/api/v2/agent/start", headers=headers)
        patient.get(url + tasks, params={"ticket": key})
    shared = user.client.post(f"{tasks}/{task_id}/share", json={}).json()["token"]
    secrets |= {shared, shared[:-1]}
    for token in (shared, shared[:-1]):
        headers = {"Authorization": f"Bearer {token}"}
        patient.get(url + stream, headers=headers)
        patient.get(url + tasks, headers=headers)
        patient.get(url + stream, params={"ticket": token})
    head, body, _ = user.token.split(".")
    for bad in (f"{head}.{body}.bad", f"{head}.{body}.", "x" * 50, f"{user.token}é"):
        secrets.add(bad)
        patient.get(url + tasks, headers={"Authorization": f"Bearer {bad}".encode()})
        patient.get(url + tasks, headers={"Cookie": f"access_token_cookie={bad}".encode()})
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(url, auth={"token": bad}, transports=["websocket"], wait_timeout=30)
    viewer = SocketViewer(url, user, task_id)
    viewer.open(0)
    viewer.client.call("refresh_token", {"token": f"{head}.{body}.bad"}, timeout=60)
    viewer.close()
    # What the server itself complains of, with the request it was.
    host = f"Host: {urlsplit(url).netloc}\r\n"
    chunked = f"{host}Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n"
    raw(url, f"POST {stream}?ticket={ticket} HTTP/1.1\r\n{chunked}")
    raw(url, f"POST {tasks}?ticket={ticket} HTTP/1.1\r\n{host}Content-Length: 100\r\n\r\nshort")
    raw(url, f"GET {tasks}?ticket={ticket} HTTP/7.x\r\n{host}\r\n")
    raw(url, f"{tasks}?ticket={ticket}\r\n\r\n")
    raw(url, f"GET {tasks}?ticket={ticket}&{'x' * 70_000} HTTP/1.1\r\n{host}\r\n")
    patient.get(f"{url}/socket.io/", params={"EIO": "4", "transport": "none", "ticket": ticket})
    patient.get(f"{url}/socket.io/", params={"EIO": "4", "transport": "polling", "sid": "1-none"})
    wait_for("the log", lambda: b"older refresh tokens" in log.read_bytes()[logged:])
    logs = list(system.home.glob("*.log"))
    assert log in logs, "else nothing was looked at"
    for path in logs:
        written = path.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in written], path


def test_17_what_an_exception_quotes_is_struck_out_of_the_log() -> None:
    made = RedactingFormatter("%(levelname)s %(message)s")
    token, key = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "trk_demo~key+of/16=characters"
    shared = "trs_a-share_token"
    try:
        raise ValueError(f"cannot read {token} in /api/v2/stream?ticket={uuid.UUID(int=0)}&rooms=user")
    except ValueError as error:
        values = token, key, shared
        record = logging.LogRecord("x", 30, "x.py", 1, "bad %s %s %s", values, (ValueError, error, None))

    text = made.format(record)

    assert token not in text and str(uuid.UUID(int=0)) not in text
    assert "bad … … …" in text and key not in text and shared not in text
    assert "cannot read … in /api/v2/stream?…" in text
