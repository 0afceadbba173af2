"""Keys that an issuer publishes: fetched once, again when they change, and kept while it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.auth import jwks
from app.auth.issuers import read_issuers
from app.errors import Unauthorized, Unavailable
from tests.support.clock import Clock
from tests.support.issuer import NAME, Issuer, KeySet, claims_of
from tests.support.system import wait_for


@pytest.fixture
def keys(rs: Issuer) -> Iterator[KeySet]:
    served = KeySet(rs.jwk)
    yield served
    served.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of the keys alone."""
    clock = Clock()
    monkeypatch.setattr(jwks, "time", clock)
    return clock


@pytest.mark.parametrize("kid", ["one", None])
def test_keys_at_an_address_are_fetched_once(rs: Issuer, keys: KeySet, kid: str | None) -> None:
    issuers = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True)
    token = rs.token({"kid": kid} if kid else {})
    issuer = issuers.of(token)
    assert issuer and keys.asked == 0

    keys.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(issuer.verify, token) for _ in range(8)]
        wait_for("the question", lambda: keys.asked)
        keys.gate.set()
        assert all(future.result(60).issuer == NAME for future in asking)

    assert keys.asked == 1


def test_a_new_key_is_fetched_when_a_token_names_it_and_not_too_often(
    rs: Issuer, keys: KeySet, clock: Clock
) -> None:
    new = Issuer(kid="two")
    issuer = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True).of(rs.token())
    assert issuer and issuer.verify(rs.token())

    for _ in range(5):
        with pytest.raises(Unauthorized):
            issuer.verify(new.token())
    assert keys.asked == 1, "anybody can name a key that does not exist"
    keys.hold(rs.jwk, new.jwk)
    clock.now += jwks.REFETCH_SECONDS
    assert issuer.verify(new.token()) and issuer.verify(rs.token())
    assert keys.asked == 2
    keys.hold(new.jwk)
    clock.now += jwks.FRESH_SECONDS
    with pytest.raises(Unauthorized):
        issuer.verify(rs.token())
    assert keys.asked == 3, "a key that was taken back is good no longer"


def test_while_the_issuer_is_away_its_keys_are_good_for_a_while(
    rs: Issuer, keys: KeySet, clock: Clock
) -> None:
    issuer = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True).of(rs.token())
    assert issuer
    keys.status = 500
    for _ in range(3):
        with pytest.raises(Unavailable):
            issuer.verify(rs.token())
    assert keys.asked == 1, "it is not called for every token"

    keys.status = 200
    clock.now += jwks.REFETCH_SECONDS
    assert issuer.verify(rs.token())
    keys.answer = b"<html>"
    clock.now += jwks.FRESH_SECONDS
    assert issuer.verify(rs.token())
    clock.now += jwks.STALE_SECONDS
    with pytest.raises(Unavailable):
        issuer.verify(rs.token())


def test_while_keys_are_fetched_again_only_those_wait_whose_key_is_not_known(
    rs: Issuer, keys: KeySet, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can send a token with the name of an issuer that hangs: it need not be signed."""
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 60.0)
    new = Issuer(kid="two")
    issuer = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True).of(rs.token())
    assert issuer and issuer.verify(rs.token())
    clock.now += jwks.FRESH_SECONDS
    keys.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        unknown = pool.submit(issuer.verify, new.token())
        wait_for("the second question", lambda: keys.asked == 2)

        assert issuer.verify(rs.token())

        assert not unknown.done()
        keys.gate.set()
        with pytest.raises(Unauthorized):
            unknown.result(60)
    assert keys.asked == 2


def test_an_issuer_that_hangs_is_left_alone_for_a_while_after_it_was_given_up(
    rs: Issuer, keys: KeySet, clock: Clock
) -> None:
    """Counted from its question on, a third of the time would be spent waiting for it."""
    issuer = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True).of(rs.token())
    assert issuer
    keys.status, keys.gate = 500, Passing(clock, jwks.REFETCH_SECONDS)

    for _ in range(3):
        with pytest.raises(Unavailable):
            issuer.verify(rs.token())
    assert keys.asked == 1
    clock.now += jwks.REFETCH_SECONDS
    with pytest.raises(Unavailable):
        issuer.verify(rs.token())
    assert keys.asked == 2


class Passing(threading.Event):
    """Time that passes while somebody waits."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += self._seconds
        return True


def test_keys_that_may_not_sign_are_passed_over(rs: Issuer, es: Issuer, keys: KeySet) -> None:
    weak = Issuer(kid="one")
    weak.key = rsa.generate_private_key(65537, 1024)
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "one"}
    unusable: list[Any] = [
        *(rs.jwk | {"use": "enc"}, rs.jwk | {"alg": "RS512"}, rs.jwk | {"n": "!"}, rs.jwk | {"kty": "OKP"}),
        *(es.jwk | {"alg": "RS256"}, weak.jwk, secret, {}, None, "key"),
    ]
    for key in unusable:
        keys.hold(key)
        issuer = read_issuers(json.dumps([rs.settings(jwks_url=keys.url)]), plain_http=True).of(rs.token())
        assert issuer
        with pytest.raises(Unauthorized):
            issuer.verify(rs.token())
    keys.hold(*unusable[:-2], rs.jwk)
    assert claims_of(rs.token(), rs.settings(jwks_url=keys.url))
