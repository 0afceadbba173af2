"""Sending: what a request holds, and several at a time. The request itself is the tests' own."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from app.deliveries import Claimed, Tried
from app.outgoing import AddressRefused, Rules
from app.posting import Answer, NoAnswer
from app.sender import AT_A_TIME, attempt, deliver
from tests.support.hooks import AT, PATIENT, Hook
from tests.support.system import SECRET
from tests.tasks.helpers import Tasks


@pytest.fixture
def hook(here: Tasks) -> Hook:
    return Hook(here)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (AddressRefused("it is private"), "it is private"),
        (NoAnswer("nobody there"), "nobody there"),
        (ZeroDivisionError(), "a fault here: ZeroDivisionError"),
    ],
)
def test_whatever_goes_wrong_is_what_came_of_the_try(hook: Hook, raised: Exception, error: str) -> None:
    hook.told()
    (claimed,) = hook.claim()

    def send(*_: Any, **__: Any) -> Answer:
        raise raised

    tried = attempt(claimed, Rules(), SECRET, send)

    assert (tried.well, tried.status_code, tried.error) == (False, None, error)
    changed = attempt(claimed, Rules(), SECRET + "!", send)
    assert changed.error and "SECRET_KEY has changed" in changed.error


def test_the_body_is_the_same_at_every_try_and_tells_type_time_and_event(hook: Hook) -> None:
    hook.told()
    (claimed,) = hook.claim()
    sent: list[tuple[dict[str, str], bytes]] = []

    def send(url: str, headers: dict[str, str], body: bytes, rules: Rules, **_: Any) -> Answer:
        sent.append((headers, body))
        return Answer(200, "ok")

    for _ in range(2):
        assert attempt(claimed, Rules(), SECRET, send).well

    (headers, body), (_, again) = sent
    assert body == again
    assert claimed.payload.encode() in body
    assert body.startswith(b'{"type":"task_created","timestamp":"20')
    assert headers["webhook-id"] == claimed.id
    assert not any("whsec" in value for value in headers.values())


def test_a_sender_sends_several_at_a_time_and_settles_each(hook: Hook) -> None:
    hook.told(AT_A_TIME * 2)
    together, numbers = threading.Barrier(AT_A_TIME), itertools.count()

    def send(claimed: Claimed) -> Tried:
        if next(numbers) < AT_A_TIME:
            together.wait(20)  # all of them, or it breaks
        return Tried(AT, 1.0, status_code=200)

    assert deliver(hook.tasks.connect, send, PATIENT) == AT_A_TIME * 2

    assert {d["status"] for d in hook.log()} == {"delivered"}
