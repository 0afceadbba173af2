"""Sending: what a request holds, and several at a time. The request itself is the tests' own."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time
from concurrent.futures import wait
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from app.db.persistent import PersistentConnection
from app.outgoing.http_client import HttpResponse, NoResponse
from app.outgoing.url_policy import AddressRefused, UrlPolicy
from app.stream.store import DatabaseUnavailable
from app.stream.transaction import Transaction
from app.webhooks import sending
from app.webhooks.delivery_queue import Claimed, Tried, claim
from app.webhooks.sending import CONCURRENCY, attempt, deliver
from tests.support.hooks import AT, PATIENT, Hook
from tests.support.system import SECRET, wait_for
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

WELL = Tried(AT, 1.0, status_code=200)


def statuses(hook: Hook) -> set[str]:
    return {d["status"] for d in hook.log()}


@pytest.fixture
def hook(here: Tasks) -> Hook:
    return Hook(here)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (AddressRefused("it is private"), "it is private"),
        (NoResponse("nobody there"), "nobody there"),
        (ZeroDivisionError(), "internal error: ZeroDivisionError"),
    ],
)
def test_whatever_goes_wrong_is_what_came_of_the_try(hook: Hook, raised: Exception, error: str) -> None:
    hook.create_tasks()
    (claimed,) = hook.claim()

    def send(*_: Any, **__: Any) -> HttpResponse:
        raise raised

    tried = attempt(claimed, UrlPolicy(), SECRET, send)

    assert (tried.succeeded, tried.status_code, tried.error) == (False, None, error)
    changed = attempt(claimed, UrlPolicy(), SECRET + "!", send)
    assert changed.error and "SECRET_KEY has changed" in changed.error


def test_a_worker_that_is_short_of_files_blames_no_receiver(hook: Hook) -> None:
    hook.create_tasks()

    def short(*_: Any, **__: Any) -> HttpResponse:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def send(claimed: Claimed) -> Tried:
        return attempt(claimed, UrlPolicy(), SECRET, short)

    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, send, PATIENT) == 1
    assert statuses(hook) == {"pending"} and hook.shown()["failures"] == 0

    hook.wait()
    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, lambda _: WELL, PATIENT) == 1
    assert statuses(hook) == {"delivered"}


def test_the_body_is_the_same_at_every_try_and_tells_type_time_and_event(hook: Hook) -> None:
    hook.create_tasks()
    (claimed,) = hook.claim()
    sent: list[tuple[dict[str, str], bytes]] = []

    def send(url: str, headers: dict[str, str], body: bytes, rules: UrlPolicy, **_: Any) -> HttpResponse:
        sent.append((headers, body))
        return HttpResponse(200, "ok")

    for _ in range(2):
        assert attempt(claimed, UrlPolicy(), SECRET, send).succeeded

    (headers, body), (_, again) = sent
    assert body == again
    assert claimed.payload.encode() in body
    assert body.startswith(b'{"type":"task_created","timestamp":"20')
    assert headers["webhook-id"] == claimed.id
    assert not any("whsec" in value for value in headers.values())


def test_a_sender_sends_several_at_a_time_and_settles_each(hook: Hook) -> None:
    for each in (hook, *(Hook(Tasks(hook.tasks.database)) for _ in range(CONCURRENCY - 1))):
        each.create_tasks(2)
    together, numbers = threading.Barrier(CONCURRENCY), itertools.count()

    def send(claimed: Claimed) -> Tried:
        if next(numbers) < CONCURRENCY:
            together.wait(60)  # all of them, or it breaks
        return WELL

    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, send, PATIENT) == CONCURRENCY * 2

    assert statuses(hook) == {"delivered"}


def test_no_more_is_claimed_than_there_is_room_for(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited behind others here would use up its lease meanwhile."""
    monkeypatch.setattr(sending, "CONCURRENCY", 3)
    for each in (hook, *(Hook(Tasks(hook.tasks.database)) for _ in range(3))):
        each.create_tasks(2)
    claims, released = list[int](), threading.Event()
    answered: list[str] = []

    def noting(cur: Any, limit: int) -> list[Claimed]:
        found = claim(cur, limit)
        claims.append(len(found))
        in_flight = sum(claims) - len(answered)
        if in_flight > 3 or len(claims) > 2:
            released.set()
        assert in_flight <= 3
        return found

    def send(claimed: Claimed) -> Tried:
        assert released.wait(60)
        answered.append(claimed.id)
        return WELL

    monkeypatch.setattr(sending, "claim", noting)

    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, send, PATIENT) == 8
    assert claims[:3] == [3, 0, 0]


def test_while_requests_are_on_their_way_nobody_else_claims(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the time of the run is over: else there would be twice as many at once."""
    hook.create_tasks()
    late = Hook(Tasks(hook.tasks.database))
    answered, waits = threading.Event(), list[float | None]()
    sent: list[str] = []

    def noting(in_flight: Any, timeout: float | None, when: Any) -> Any:
        waits.append(timeout)
        return wait(in_flight, timeout, when)

    def send(claimed: Claimed) -> Tried:
        sent.append(claimed.webhook_id)
        now.append(1_000.0)  # the time of the run is over
        answered.wait(60)
        return WELL

    now = [0.0]
    monkeypatch.setattr(sending, "wait", noting)
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: now[-1], sleep=time.sleep))
    run = threading.Thread(
        target=deliver,
        args=(PersistentConnection(hook.tasks.database), hook.tasks.of_any_thread, send, PATIENT),
    )
    run.start()
    wait_for("it waits for what is on its way", lambda: None in waits)
    late.create_tasks()
    now.append(0.0)

    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, send, PATIENT) == 0

    answered.set()
    run.join(60)
    assert sent == [hook.id]


def test_what_falls_due_is_sent_while_another_is_slow(hook: Hook) -> None:
    hook.create_tasks()
    other = Hook(Tasks(hook.tasks.database))
    sent = threading.Event()

    def send(claimed: Claimed) -> Tried:
        if claimed.webhook_id == hook.id:
            other.create_tasks()
            assert sent.wait(60), "it waited for the slow one"
        else:
            sent.set()
        return WELL

    assert deliver(PersistentConnection(hook.tasks.database), hook.tasks.of_any_thread, send, PATIENT) == 2


def test_one_sends_at_a_time_and_the_others_return_at_once(hook: Hook) -> None:
    hook.create_tasks()
    late = Hook(Tasks(hook.tasks.database))
    meanwhile: list[int] = []

    def send(claimed: Claimed) -> Tried:
        if claimed.webhook_id == hook.id:
            late.create_tasks()
            meanwhile.append(
                deliver(PersistentConnection(hook.tasks.database), hook.tasks.of_any_thread, send, PATIENT)
            )
        return WELL

    assert deliver(hook.tasks.connect, hook.tasks.of_any_thread, send, PATIENT) == 2
    assert meanwhile == [0]

    hook.create_tasks()
    assert deliver(PersistentConnection(hook.tasks.database), hook.tasks.of_any_thread, send, PATIENT) == 2, (
        "the lock was given back"
    )


def test_while_postgres_is_away_what_was_sent_is_kept_in_mind_and_written_down(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.create_tasks(2)
    claims, writes = itertools.count(), itertools.count()
    gone = threading.Event()

    def claim_once(cur: Cursor, limit: int) -> list[Claimed]:
        if next(claims):
            gone.set()
            raise DatabaseUnavailable("as asked")
        return claim(cur, limit)

    def begin_later() -> AbstractContextManager[Transaction]:
        if next(writes) < 2:
            raise DatabaseUnavailable("as asked")
        return hook.tasks.of_any_thread()

    def send(_: Claimed) -> Tried:
        assert gone.wait(60), "nobody claimed meanwhile"
        return WELL

    monkeypatch.setattr("app.webhooks.sending.claim", claim_once)
    monkeypatch.setattr("app.webhooks.sending.RECORD_RETRY_SECONDS", (0.01,) * 2)
    with pytest.raises(DatabaseUnavailable):
        deliver(hook.tasks.connect, begin_later, send, PATIENT)

    assert statuses(hook) == {"delivered"}
