"""Wrong API keys of an address are limited; who has a key that is known, or another address, is not in their way."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import socketio

from tests.api.test_limits import ECHO, LIMITS, V2, client, too_many
from tests.support.keys import holder
from tests.support.system import System, User

pytestmark = pytest.mark.slow

WRONG = "trk_" + "x" * 40


@pytest.fixture(scope="module")
def low(system: System) -> Iterator[str]:
    with system.web(TRUSTED_PROXIES="1", **LIMITS | {"CONNECTS_PER_MINUTE": "1000"}) as url:
        yield url


def guesser(low: str, user: User, address: str) -> httpx.Client:
    return client(low, User(user.id, user.email, WRONG, user.client), address)


def test_wrong_keys_of_an_address_are_limited_and_a_known_key_is_not(low: str, user: User, other: User):
    address = "192.0.2.80"
    with holder(user) as known, holder(other) as unknown, client(low, known, address) as neighbour:
        assert neighbour.get(f"{V2}/tasks").status_code == 200
        with guesser(low, user, address) as guesses:
            answers = [guesses.get(f"{V2}/tasks").status_code for _ in range(62)]
            too_many(guesses.post(f"{V2}/agent/start", json=ECHO))
        assert answers == [401] * 60 + [429] * 2
        assert neighbour.get(f"{V2}/tasks").status_code == 200
        with client(low, unknown, address) as newcomer, client(low, unknown) as elsewhere:
            too_many(newcomer.get(f"{V2}/tasks"))
            assert elsewhere.get(f"{V2}/tasks").status_code == 200


def test_those_of_streams_and_sockets_count_with_them(low: str, user: User):
    address = "192.0.2.81"
    with guesser(low, user, address) as guesses:
        answers = [guesses.get(f"{V2}/events/stream").status_code for _ in range(60)]
    reasons: list[str] = []
    bad = socketio.Client(reconnection=False)
    bad.on("connect_error", lambda data: reasons.append(data["message"]))
    with pytest.raises(socketio.exceptions.ConnectionError):
        bad.connect(
            low, headers={"X-Forwarded-For": address}, auth={"token": WRONG}, transports=["websocket"]
        )

    assert answers == [401] * 60
    assert "Too many attempts" in reasons[0]
