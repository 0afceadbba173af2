"""Who signs in, fails and is refused: a line each, and nothing in it that would let a reader in."""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
import socketio
from argon2 import PasswordHasher
from flask import Flask

from app.auth import access_log, tokens
from app.auth.passwords import Passwords
from app.errors import Problem
from app.http.concurrency import Downloads
from app.http.requests import HEADER, with_request_id
from tests.api import patient
from tests.api.fakes import FakePostgres
from tests.api.small import small_app
from tests.support.keys import holder
from tests.support.system import ROOT, System, User, wait_for
from tests.support.trail import access_trail

LOGIN = "/api/v2/auth/login"
ANN, SESSION, TASK = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
EMAIL, PASSWORD = "ann@example.org", "a password of Ann's"
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def fake() -> FakePostgres:
    """Ann has an account, and somebody else a task."""
    fake = FakePostgres()
    account, session = (ANN, HASHED, "viewer", None), (ANN, EMAIL, "viewer", None, SESSION)
    fake.rows = {EMAIL: account, ANN: session, TASK: ("another", None)}
    return fake


@pytest.fixture
def app(fake: FakePostgres) -> Flask:
    return small_app(fake, trusted_proxies=1)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records if record.name == "taskroom.access"]
    caplog.clear()
    return found


def bearer(app: Flask, role: str = "viewer") -> dict[str, str]:
    with app.app_context():
        return {"Authorization": f"Bearer {tokens.new_access(ANN, EMAIL, role, None, SESSION)}"}


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "taskroom.access")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"email": EMAIL, "password": PASSWORD}, f"sign_in user={ANN} address=192.0.2.7 outcome=ok"),
        ({"email": EMAIL, "password": "guess"}, f"sign_in user={ANN} address=192.0.2.7 outcome=unauthorized"),
        ({"email": "a secret", "password": "x"}, "sign_in user=- address=192.0.2.7 outcome=unauthorized"),
        ({"email": EMAIL}, "sign_in user=- address=192.0.2.7 outcome=malformed"),
        ({"email": "x" * 5_000}, "sign_in user=- address=192.0.2.7 outcome=too_large"),
    ],
)
def test_a_sign_in_is_one_line(
    app: Flask, caplog: pytest.LogCaptureFixture, body: dict[str, str], line: str
) -> None:
    answer = app.test_client().post(LOGIN, json=body, environ_base={"REMOTE_ADDR": "192.0.2.7"})

    written = caplog.text
    assert lines(caplog) == [line]
    secrets = [*body.values(), *(v for k, v in (answer.get_json() or {}).items() if k == "access_token")]
    assert written and not [secret for secret in secrets if secret in written]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ({"data": b"{", "content_type": "application/json"}, "malformed"),
        ({"data": b"{}", "content_type": "text/plain"}, "malformed"),
        ({"json": {}, "headers": {"Transfer-Encoding": "chunked"}}, "malformed"),
        ({"json": {"email": "its row is none", "password": "guess"}}, "failed"),
        ({"json": {"email": "away", "password": "guess"}}, "unavailable"),
    ],
)
def test_a_sign_in_that_fails_otherwise_is_a_line_too(
    app: Flask, fake: FakePostgres, caplog: pytest.LogCaptureFixture, call: dict[str, Any], outcome: str
) -> None:
    fake.rows["its row is none"], fake.away = ("one value",), outcome == "unavailable"

    app.test_client().post(LOGIN, **call)

    assert lines(caplog) == [f"sign_in user=- address=127.0.0.1 outcome={outcome}"]


def test_a_sign_in_while_too_many_are_checked_is_a_line(
    fake: FakePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Passwords(1, 0)
    nobody._admitted.acquire()

    answer = (
        small_app(fake, parts={Passwords: nobody})
        .test_client()
        .post(LOGIN, json={"email": EMAIL, "password": PASSWORD})
    )

    assert answer.status_code == 503
    assert lines(caplog) == [f"sign_in user={ANN} address=127.0.0.1 outcome=full"]


def test_what_a_browser_asks_before_a_sign_in_is_no_sign_in(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    assert app.test_client().options(LOGIN).status_code == 200

    assert lines(caplog) == []


def test_who_tries_too_often_is_a_line_too(fake: FakePostgres, caplog: pytest.LogCaptureFixture) -> None:
    client = small_app(fake, limits="memory://").test_client()

    for _ in range(11):
        client.post(LOGIN, json={"email": EMAIL, "password": "guess"})

    outcomes = [line.rpartition("=")[2] for line in lines(caplog)]
    assert outcomes == ["unauthorized"] * 10 + ["too_many"]


def test_refusals_of_all_kinds_are_a_line_each_and_what_is_allowed_or_absent_is_none(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    client, absent = app.test_client(), uuid.UUID(int=4)
    here = {"environ_base": {"REMOTE_ADDR": "2001:db8::7"}}

    client.get("/api/v2/jobs/types", headers=bearer(app), **here)
    client.get(f"/api/v2/tasks/{absent}/status", headers=bearer(app), **here)
    client.get(f"/api/v2/tasks/{TASK}/status", headers=bearer(app), **here)
    client.post("/api/v2/agent/start", headers=bearer(app), **here)
    client.get("/api/v2/tasks", headers={"Authorization": "Bearer forged"}, **here)
    client.post("/api/v2/auth/refresh", **here)

    assert lines(caplog) == [
        f"GET /api/v2/tasks/<uuid:task_id>/status user={ANN} address=2001:db8::7 outcome=foreign",
        f"POST /api/v2/agent/start user={ANN} address=2001:db8::7 outcome=forbidden",
        "GET /api/v2/tasks user=- address=2001:db8::7 outcome=unauthorized",
        "refresh user=- address=2001:db8::7 outcome=unauthorized",
    ]


def test_refusals_before_a_body_is_read_are_a_line_each(
    app: Flask, fake: FakePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    client, mine = app.test_client(), uuid.UUID(int=5)
    fake.rows[str(mine)] = (ANN, None)
    full = small_app(fake, parts={Downloads: Downloads(per_user=0)}).test_client()

    client.post(f"/api/v2/tasks/{TASK}/events", headers=bearer(app), json={})
    client.post(f"/api/v2/tasks/{mine}/events", headers=bearer(app), json={})
    full.get(f"/api/v2/tasks/{mine}/logs/download", headers=bearer(app))
    client.get(f"/api/v2/tasks?ticket={SESSION}", headers={})
    client.get("/metrics")
    client.post(
        "/api/v2/webhooks",
        headers=bearer(app, "operator"),
        json={"url": "https://127.0.0.1/", "event_types": ["notification"]},
    )

    assert SESSION not in caplog.text
    assert lines(caplog) == [
        f"POST /api/v2/tasks/<uuid:task_id>/events user={ANN} address=127.0.0.1 outcome=foreign",
        f"POST /api/v2/tasks/<uuid:task_id>/events user={ANN} address=127.0.0.1 outcome=forbidden",
        f"GET /api/v2/tasks/<uuid:task_id>/logs/download user={ANN} address=127.0.0.1 outcome=too_many",
        "GET /api/v2/tasks user=- address=127.0.0.1 outcome=unauthorized",
        "GET /metrics user=- address=127.0.0.1 outcome=foreign",
        f"POST /api/v2/webhooks user={ANN} address=127.0.0.1 outcome=address",
    ]


def test_a_line_has_the_id_of_its_request(app: Flask) -> None:
    app.wsgi_app = with_request_id(app.wsgi_app)  # type: ignore[method-assign, assignment]

    with access_trail() as trail:
        app.test_client().get("/api/v2/tasks", headers={HEADER: "r-1"})

    assert trail.lines() == [("GET /api/v2/tasks user=- address=127.0.0.1 outcome=unauthorized", "r-1")]


def test_the_page_names_each_outcome() -> None:
    kinds, refusals = [Problem], {"ok", "closed", *access_log.FAILURES.values()}
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        refusals |= {kind.refusal} - {None}
    page = (ROOT / "docs/operations.md").read_text().partition("### The access log")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == refusals


def test_an_address_that_is_none_writes_nothing_of_its_own(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    forged = {"REMOTE_ADDR": f"1.2.3.4 outcome=ok\nsign_in user={ANN}"}

    app.test_client().post(LOGIN, json={}, environ_base=forged)

    assert lines(caplog) == ["sign_in user=- address=unknown outcome=malformed"]


def test_a_key_is_named_by_its_id_where_it_is_made_used_for_too_much_and_revoked(
    system: System, user: User
) -> None:
    log = system.home / f"web-{urlsplit(system.url).port}.log"
    with holder(user, "read") as key:
        key.client.post("/api/v2/agent/start", json={"job_type": "test_echo"})
        user.client.delete(f"/api/v2/keys/{key.key_id}")
        key.client.get("/api/v2/tasks")
        who = f"user={user.id} key={key.key_id} address=127.0.0.1"

        wait_for("the revocation", lambda: f"key_revoked {who} outcome=ok" in log.read_text())
        assert f"key_made {who} outcome=ok" in log.read_text()
        assert f"POST /api/v2/agent/start {who} outcome=forbidden" in log.read_text()
        assert key.token not in log.read_text()


def test_a_wrong_key_is_a_line_without_it(system: System) -> None:
    log = system.home / f"web-{urlsplit(system.url).port}.log"
    key = f"trk_{uuid.uuid4().hex}"
    before = log.read_text().count("GET /api/v2/jobs/history user=- address=127.0.0.1 outcome=unauthorized")

    patient.get(f"{system.url}/api/v2/jobs/history", headers={"Authorization": f"Bearer {key}"})

    wait_for(
        "the line",
        lambda: (
            log.read_text().count("GET /api/v2/jobs/history user=- address=127.0.0.1 outcome=unauthorized")
            > before
        ),
    )
    assert key not in log.read_text()


def test_sockets_and_sign_outs_are_told_too(system: System, user: User, other: User) -> None:
    theirs = other.start("test_echo")
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(system.url, auth={"token": "forged"}, transports=["websocket"], wait_timeout=60)
    client.connect(system.url, auth={"token": user.token}, transports=["websocket"], wait_timeout=60)
    client.call("join_task", {"task_id": theirs}, timeout=60)
    client.disconnect()
    hook = {"url": "https://x.invalid/", "event_types": ["notification"]}
    hook_id = other.client.post("/api/v2/webhooks", json=hook).json()["id"]
    other.finished(theirs)
    wait_for("a notification", lambda: other.get("notifications")["notifications"])
    notice_id = other.get("notifications")["notifications"][0]["id"]
    for id in (hook_id, uuid.uuid4()):
        assert user.client.get(f"/api/v2/webhooks/{id}/deliveries").status_code == 404
    for id in (notice_id, uuid.uuid4()):
        assert user.client.post(f"/api/v2/notifications/{id}/read").status_code == 404
    user.client.post("/api/v2/auth/logout")
    log = system.home / f"web-{urlsplit(system.url).port}.log"

    wait_for(
        "the sign-out", lambda: f"sign_out user={user.id} address=127.0.0.1 outcome=ok" in log.read_text()
    )
    of_user = re.findall(
        rf"(\S+(?: /\S+)?) user={user.id} address=127.0.0.1 outcome=foreign", log.read_text()
    )
    assert of_user == [
        "join_task",
        "GET /api/v2/webhooks/<uuid:webhook_id>/deliveries",
        "POST /api/v2/notifications/<uuid:notification_id>/read",
    ]
    assert "connect user=- address=127.0.0.1 outcome=unauthorized" in log.read_text()
