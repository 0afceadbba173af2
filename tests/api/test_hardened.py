"""What is closed where somebody could reach further: caches, forged hosts, an outage of Redis, addresses of issuers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websocket

from tests.api import patient
from tests.api.answers import problem
from tests.api.fakes import FakePostgres
from tests.api.small import small_app
from tests.support.issuer import Issuer
from tests.support.system import PASSWORD, System, User

pytestmark = pytest.mark.slow

LOGIN = "/api/v2/auth/login"


@pytest.fixture(scope="module")
def behind_proxy(system: System) -> Iterator[str]:
    """It believes one proxy."""
    with system.web(
        TRUSTED_PROXIES="1", CORS_ORIGINS="https://[2001:db8::1]:8443,https://good.example.org"
    ) as url:
        yield url


@pytest.fixture
def cookies(behind_proxy: str, user: User) -> dict[str, str]:
    with httpx.Client(base_url=behind_proxy, timeout=60) as browser:
        browser.post(LOGIN, json={"email": user.email, "password": PASSWORD})
        return dict(browser.cookies)


FORGED = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}


def test_a_forwarded_host_makes_no_foreign_origin_ones_own(
    system: System, behind_proxy: str, cookies: dict[str, str]
) -> None:
    for url in (system.url, behind_proxy):
        problem(patient.post(f"{url}/api/v2/auth/ticket", cookies=cookies, headers=FORGED), 403)
        polling = patient.get(f"{url}/socket.io/?EIO=4&transport=polling", cookies=cookies, headers=FORGED)
        assert polling.status_code == 400
        address = url.replace("http://", "ws://") + "/socket.io/?EIO=4&transport=websocket"
        others = [f"{name}: {value}" for name, value in FORGED.items() if name != "Origin"]
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(address, timeout=60, origin=FORGED["Origin"], header=others)
        own = websocket.create_connection(address, timeout=60, origin=url)
        assert own.recv().startswith("0")
        own.close()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://good.example.org", True),
        ("https://[2001:db8::1]:8443", True),
        ("https://goodxexample.org", False),
        ("https://good.example.org.evil.example", False),
        ("https://2:8443", False),
    ],
)
def test_a_listed_origin_is_itself_and_no_pattern(behind_proxy: str, origin: str, allowed: bool) -> None:
    answer = patient.get(f"{behind_proxy}/livez", headers={"Origin": origin})

    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)


def test_what_a_user_is_answered_is_kept_by_nobody(user: User, other: User) -> None:
    theirs = other.start("test_echo")
    task_id = user.start("test_echo")
    user.finished(task_id)
    paths = ("tasks", "agent/active", "jobs/types", "jobs/history", "notifications", "webhooks")
    of_task = (f"tasks/{task_id}/{what}" for what in ("status", "events", "logs", "logs/download"))
    for path in (*paths, *of_task, f"tasks/{theirs}/status", "tasks?limit=x"):
        answer = user.client.get(f"/api/v2/{path}")
        assert answer.headers.get_list("Cache-Control") == ["no-store"], path
    assert user.client.get("/api/v1/notifications/").headers["Cache-Control"] == "no-store"
    assert (
        user.client.get("/api/v2/tasks", headers={"Authorization": "x"}).headers["Cache-Control"]
        == "no-store"
    )


def test_neither_are_the_polls_of_a_socket(system: System, user: User) -> None:
    url = f"{system.url}/socket.io/?EIO=4&transport=polling"
    with httpx.Client(timeout=60) as client:
        opened = client.get(url)
        session = f"{url}&sid={json.loads(opened.text[1:])['sid']}"
        posted = client.post(session, content="40" + json.dumps({"token": user.token}))
        polled = client.get(session)
        refused = client.get(f"{url}&sid=nobody")

    assert polled.text.startswith("40") and refused.status_code == 400
    for answer in (opened, posted, polled, refused):
        assert answer.headers.get_list("Cache-Control") == ["no-store"]


def test_guesses_are_limited_without_redis_too() -> None:
    app = small_app(FakePostgres(), limits="limits+redis://127.0.0.1:1/0")
    client, wrong = app.test_client(), {"email": "ann@example.org", "password": "guess"}

    answers = [client.post(LOGIN, json=wrong) for _ in range(12)]
    elsewhere = client.post(LOGIN, json=wrong, environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    ("claims", "settings", "name"),
    [
        ({"email": "boss@example.org"}, {}, "the subject"),
        ({"email": "boss@example.org", "email_verified": False}, {}, "the subject"),
        ({"email": "boss@example.org", "email_verified": "no"}, {}, "the subject"),
        ({"email": "boss@example.org", "email_verified": 1.5}, {}, "the subject"),
        ({"email": "boss@example.org", "email_verified": True}, {}, "boss@example.org"),
        ({"email": "boss@example.org", "email_verified": "true"}, {}, "boss@example.org"),
        ({"email": "boss@example.org"}, {"email_verified": True}, "boss@example.org"),
    ],
)
def test_an_address_that_its_issuer_has_not_verified_names_nobody(
    rs: Issuer, claims: dict[str, Any], settings: dict[str, Any], name: str
) -> None:
    from tests.api.test_issuers import claims_of

    assert claims_of(rs.token(sub="the subject", **claims), rs.settings(**settings)).email == name
