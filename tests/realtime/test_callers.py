"""Who joins is found out before a place is taken: a caller whose issuer hangs keeps nobody from joining."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask

from app.auth import identity
from app.auth.key_authenticator import KeyAuthenticator
from app.auth.key_text import PREFIX
from app.auth.principal import Principal
from app.auth.tokens import Authenticator
from app.http.admission import AdmissionQueue
from app.realtime import connection_limits
from tests.support.issuer import Issuer, KeySet
from tests.support.parts import Parts
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer

ANN = Principal("ann", "ann@example.org", "operator", None, "session", 2.0**40)
FORGED = 2 * (connection_limits.AT_ONCE + connection_limits.IDENTIFIED_AT_ONCE)


class Noted:
    """Notes what it is asked, and how many callers have a place at that moment."""

    def __init__(self, asking: AdmissionQueue) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self._asking = asking

    def wait_for_keys(self, token: str) -> None:
        self.asked.append(("issuer", token, self._asking.admitted))

    def of_access(self, token: str) -> Principal:
        self.asked.append(("postgres", token, self._asking.admitted))
        return ANN

    of_key = of_access


Join = Callable[[AdmissionQueue], Principal]
BEARER, COOKIE = {"Authorization": "Bearer header"}, {"Cookie": "access_token_cookie=cookie"}


def by_handshake(credentials: Any) -> Join:
    return lambda asking: identity.of_handshake(credentials, asking)


@pytest.mark.parametrize(
    ("headers", "join", "token"),
    [
        (BEARER, identity.of_stream, "header"),
        (COOKIE, identity.of_stream, "cookie"),
        (BEARER | COOKIE, identity.of_stream, "header"),
        (BEARER, by_handshake({"token": "given"}), "given"),
        (BEARER, by_handshake({"token": 5}), "header"),
        (COOKIE, by_handshake(None), "cookie"),
    ],
)
def test_an_issuer_is_waited_for_outside_of_the_places(
    headers: dict[str, str], join: Join, token: str
) -> None:
    asking = AdmissionQueue(1)
    noted = Noted(asking)
    app = Flask(__name__)
    app.config["JWT_ACCESS_COOKIE_NAME"] = "access_token_cookie"
    app.extensions["taskroom"] = Parts({Authenticator: noted, KeyAuthenticator: noted})

    with app.test_request_context(headers=headers):
        assert join(asking) == ANN

    assert noted.asked == [("issuer", token, 0), ("postgres", token, 1)]
    assert asking.admitted == 0


def test_no_issuer_is_asked_about_an_api_key() -> None:
    asking = AdmissionQueue(1)
    noted = Noted(asking)
    app = Flask(__name__)
    app.extensions["taskroom"] = Parts({Authenticator: noted, KeyAuthenticator: noted})

    with app.test_request_context(headers={"Authorization": f"Bearer {PREFIX}x"}):
        assert identity.of_stream(asking) == ANN

    assert noted.asked == [("postgres", f"{PREFIX}x", 1)]


@pytest.fixture
def hanging() -> Iterator[tuple[Issuer, KeySet]]:
    issuer = Issuer()
    keys = KeySet(issuer.jwk)
    keys.gate.clear()
    yield issuer, keys
    keys.gate.set()
    keys.close()


@pytest.mark.slow
def test_streams_and_sockets_open_beside_forged_tokens_of_an_issuer_that_hangs(
    system: System, user: User, running: str, hanging: tuple[Issuer, KeySet]
) -> None:
    issuer, keys = hanging
    with (
        system.web(
            TASKROOM_ISSUERS=json.dumps([issuer.settings(jwks_url=keys.url)]), MAX_VIEWERS="100"
        ) as url,
        ThreadPoolExecutor(FORGED) as pool,
    ):
        path = f"{url}/api/v2/events/stream"
        forged = [issuer.token({"kid": f"unknown {number}"}) for number in range(FORGED)]
        waiting = [
            pool.submit(httpx.get, path, headers={"Authorization": f"Bearer {token}"}, timeout=60)
            for token in forged
        ]
        wait_for("the fetch", lambda: keys.asked)

        for viewer in (SseViewer(url, user, running), SocketViewer(url, user, running)):
            viewer.open(0)
            viewer.wait_events(5)
            viewer.close()
        keys.gate.set()

        assert {request.result(60).status_code for request in waiting} <= {401, 429, 503}
    assert keys.asked == 1
