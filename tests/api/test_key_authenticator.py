"""Keys in the memory of a web process: for a second, one question for a crowd, and few guesses from an address."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.auth import key_authenticator
from app.auth.key_authenticator import KeyAuthenticator
from app.auth.key_text import hash_of, new_key
from app.auth.revocations import Revocations
from app.errors import TooMany, Unauthorized
from app.stream.store import DatabaseUnavailable
from tests.api.fakes import FakePostgres
from tests.support.clock import Clock
from tests.support.system import wait_for

ANN, ID = "ann", "key 1"


class Guesses:
    """Allows so many wrong keys."""

    def __init__(self, allowed: int = 1_000) -> None:
        self.allowed, self.counted = allowed, 0

    def check(self) -> None:
        if self.counted > self.allowed:
            raise TooMany("wait")

    def failed(self) -> None:
        self.counted += 1
        self.check()


class Scene:
    def __init__(self, allowed: int = 1_000) -> None:
        self.postgres, self.clock, self.guesses = FakePostgres(), Clock(), Guesses(allowed)
        self.revocations = Revocations("", 900, lambda session_id: None)
        lend = self.postgres.read
        self.keys = KeyAuthenticator(lend, lend, self.revocations, self.guesses, self.clock.monotonic)

    def store(self, role: str = "operator", expires_at: float | None = None) -> str:
        key = new_key()
        row = (ANN, "ann@example.org", role, "acme", ID, expires_at, ["read"])
        self.postgres.rows[hash_of(key)] = row
        return key


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_it_is_its_owner_with_scopes(scene: Scene) -> None:
    found = scene.keys.of_key(scene.store())

    assert (found.user_id, found.email, found.role, found.tenant) == (
        *(ANN, "ann@example.org", "operator", "acme"),
    )
    assert (found.session_id, found.key_id, found.scopes) == (ID, ID, frozenset({"read"}))
    assert found.expires_at == float("inf")


def test_postgres_is_asked_once_a_second(scene: Scene) -> None:
    key = scene.store()
    for _ in range(3):
        scene.keys.of_key(key)
    assert len(scene.postgres.asked) == 1

    scene.clock.now += 0.99
    scene.keys.of_key(key)
    assert len(scene.postgres.asked) == 1

    scene.postgres.rows[hash_of(key)] = (ANN, "ann@example.org", "viewer", None, ID, None, ["read"])
    scene.clock.now += 0.02
    assert scene.keys.of_key(key).role == "viewer", "the role of its owner now"


def test_the_second_begins_before_the_question(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what was read before a revocation would be believed for longer than a second."""
    key = scene.store()
    find = key_authenticator.api_keys.find

    def slow(*args: Any) -> Any:
        scene.clock.now += 0.5
        return find(*args)

    monkeypatch.setattr(key_authenticator.api_keys, "find", slow)
    scene.keys.of_key(key)
    scene.clock.now += 0.51
    del scene.postgres.rows[hash_of(key)]

    with pytest.raises(Unauthorized):
        scene.keys.of_key(key)


def test_a_crowd_costs_one_question(scene: Scene) -> None:
    key = scene.store()
    scene.postgres.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(scene.keys.of_key, key) for _ in range(20)]
        wait_for("the question", lambda: scene.postgres.asked)
        wait_for("the crowd", lambda: all(future.running() for future in asked))
        scene.postgres.gate.set()
        found = {id(future.result(60)) for future in asked}

    assert len(scene.postgres.asked) <= 2 and len(found) <= 2


def test_a_known_key_ends_with_its_revocation_and_at_its_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked, expiring = scene.store(), scene.store(expires_at=time.time() + 900)
    scene.keys.of_key(expiring)
    monkeypatch.setattr(key_authenticator.time, "time", lambda: time.monotonic() + 1e12)
    with pytest.raises(Unauthorized):
        scene.keys.of_key(expiring)

    scene.keys.of_key(revoked)
    scene.revocations.add(ID)
    with pytest.raises(Unauthorized):
        scene.keys.of_key(revoked)
    scene.postgres.rows[ID] = scene.postgres.rows[hash_of(revoked)]
    assert scene.keys.of_id(ID) is None, "nor does a ticket revive it"


def test_after_many_wrong_keys_an_address_may_send_only_keys_that_are_known() -> None:
    scene = Scene(allowed=2)
    known, unknown = scene.store(), scene.store()
    scene.keys.of_key(known)
    refusals = []
    for _ in range(5):
        with pytest.raises((Unauthorized, TooMany)) as refusal:
            scene.keys.of_key(new_key())
        refusals.append(refusal.value.status)
    asked = len(scene.postgres.asked)

    assert refusals == [401, 401, 429, 429, 429]
    assert asked == 4, "the last two cost Postgres nothing"
    with pytest.raises(TooMany):
        scene.keys.of_key(unknown)
    scene.clock.now += 2
    assert scene.keys.of_key(known).user_id == ANN, "who shares the address works on"


def test_a_key_that_has_ended_is_no_longer_known() -> None:
    scene = Scene(allowed=0)
    key = scene.store()
    scene.keys.of_key(key)
    del scene.postgres.rows[hash_of(key)]
    scene.clock.now += 2

    statuses = []
    for _ in range(2):
        with pytest.raises((Unauthorized, TooMany)) as refusal:
            scene.keys.of_key(key)
        statuses.append(refusal.value.status)

    assert statuses == [429, 429]
    assert len(scene.postgres.asked) == 2


def test_while_postgres_is_away_nobody_is_told_that_the_key_is_wrong(scene: Scene) -> None:
    key = scene.store()
    scene.postgres.away = True

    with pytest.raises(DatabaseUnavailable):
        scene.keys.of_key(key)

    assert scene.guesses.counted == 0


def test_the_last_use_is_written_once_a_minute_and_again_after_a_failure(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[set[str]] = []
    monkeypatch.setattr(
        key_authenticator.api_keys, "used", lambda cur, ids, interval: written.append(set(ids))
    )
    key = scene.store()
    scene.keys.write_used()
    assert written == []

    scene.keys.of_key(key)
    monkeypatch.setattr(scene.postgres, "away", True)

    def refuse(*args: Any) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(key_authenticator.api_keys, "used", refuse)
        with pytest.raises(DatabaseUnavailable):
            scene.keys.write_used()
    monkeypatch.setattr(scene.postgres, "away", False)
    scene.keys.write_used()
    scene.keys.of_key(key)
    scene.keys.write_used()
    assert written == [{ID}]

    scene.clock.now += 61
    scene.keys.of_key(key)
    scene.keys.write_used()
    assert written == [{ID}, {ID}]
