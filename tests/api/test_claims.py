from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask

from app.auth import accounts, identity, jwks, tokens
from app.auth.issuers import Issuers, read_issuers
from app.auth.jwks import FRESH_SECONDS
from app.auth.revocations import Revocations
from app.auth.tokens import Authenticator
from app.config import Config
from app.errors import Unauthorized
from app.stream.store import DatabaseUnavailable
from tests.api.fakes import FakePostgres
from tests.support.issuer import Issuer, KeySet
from tests.support.system import SECRET

ANN, SESSION = str(uuid4()), str(uuid4())


@pytest.fixture(autouse=True)
def app() -> Iterator[Flask]:
    """As much of the application as reads a token."""
    app = Flask(__name__)
    identity.init_app(app, Config(SECRET, "postgresql://", "redis://", access_token_seconds=900))
    with app.app_context():
        yield app


@pytest.fixture
def fake() -> FakePostgres:
    return FakePostgres()


@pytest.fixture
def revocations(monkeypatch: pytest.MonkeyPatch) -> Revocations:
    """Just read."""
    found = Revocations("", 900, lambda session_id: None)
    monkeypatch.setattr(Revocations, "known", True)
    return found


@pytest.fixture
def known(fake: FakePostgres, revocations: Revocations) -> Authenticator:
    return Authenticator(fake.read, fake.read, revocations, Issuers({}))


def token(**changes: Any) -> str:
    made = tokens.new_access(ANN, "ann@example.org", "operator", "acme", SESSION)
    read = jwt.decode(made, options={"verify_signature": False}) | changes
    return jwt.encode(read, SECRET, algorithm="HS256")


def test_a_token_is_decoded_once_and_postgres_is_not_asked(
    known: Authenticator, fake: FakePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = tokens.decode_token
    monkeypatch.setattr(tokens, "decode_token", lambda token: decoded.append(token) or decode(token))
    mine = token()

    first, second = known.of_access(mine), known.of_access(mine)

    assert first is second
    assert (first.user_id, first.email) == (ANN, "ann@example.org")
    assert (first.role, first.tenant) == ("operator", "acme")
    assert decoded == [mine]
    assert fake.asked == []


def test_a_known_token_expires_all_the_same(known: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = token()
    until = known.of_access(mine).expires_at
    monkeypatch.setattr(tokens.time, "time", lambda: until)
    with pytest.raises(Unauthorized):
        known.of_access(mine)


def test_a_known_token_is_refused_once_its_session_has_ended(
    known: Authenticator, revocations: Revocations
) -> None:
    mine = token()
    known.of_access(mine)
    revocations.add(SESSION)
    with pytest.raises(Unauthorized, match="ended"):
        known.of_access(mine)


def test_one_changed_letter_makes_another_token(known: Authenticator) -> None:
    mine = token()
    known.of_access(mine)
    head, body, signature = mine.split(".")
    with pytest.raises(Unauthorized):
        known.of_access(f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    with pytest.raises(Unauthorized):
        known.of_access(mine + "\udcff")


def test_without_fresh_revocations_postgres_says_who_it_is(
    known: Authenticator, fake: FakePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = token()
    known.of_access(mine)
    monkeypatch.setattr(Revocations, "known", False)

    with pytest.raises(Unauthorized):
        known.of_access(mine)
    fake.rows[SESSION] = (ANN, "ann@example.org", "viewer", None)
    assert known.of_access(mine).role == "viewer"
    fake.rows[SESSION] = (str(uuid4()), "bob@example.org", "admin", None)
    with pytest.raises(Unauthorized):
        known.of_access(mine)
    fake.away = True
    with pytest.raises(DatabaseUnavailable):
        known.of_access(mine)
    assert fake.asked == [SESSION] * 4


def test_a_token_that_outlives_the_memory_of_sign_outs_is_asked_about(
    known: Authenticator, fake: FakePostgres
) -> None:
    with pytest.raises(Unauthorized):
        known.of_access(token(exp=int(time.time()) + 3600))
    assert fake.asked == [SESSION]


def test_a_known_token_of_another_issuer_does_not_outlive_its_key(
    fake: FakePostgres, revocations: Revocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, real = 1000.0, time.time
    for module in (tokens, jwks):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now, time=real))
    monkeypatch.setattr(
        accounts, "open_session", lambda cur, claims, session_id: accounts.OpenedSession(ANN, False)
    )
    issuer = Issuer()
    keys = KeySet(issuer.jwk)
    known = Authenticator(
        fake.read,
        fake.read,
        revocations,
        read_issuers(json.dumps([issuer.settings(jwks_url=keys.url)]), plain_http=True),
    )
    theirs = issuer.token()
    assert known.of_access(theirs).user_id == ANN

    keys.hold()
    assert known.of_access(theirs).user_id == ANN
    now += FRESH_SECONDS
    with pytest.raises(Unauthorized):
        known.of_access(theirs)
    keys.close()
