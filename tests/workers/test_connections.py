"""Messages go over connections that are kept: one for each would be a handshake for each."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from types import ModuleType

import pytest
from kombu.exceptions import OperationalError
from redis import Redis

from app.tasks.dispatch import BrokerDown
from tests.support.system import SECRET
from workers.settings import settings

pytestmark = pytest.mark.slow


@pytest.fixture
def celery_app(monkeypatch: pytest.MonkeyPatch, other_redis_url: str) -> Iterator[ModuleType]:
    """A Celery app of this test's own, over a real broker."""
    for name, value in {
        "SECRET_KEY": SECRET,
        "DATABASE_URL": "postgresql://x",
        "REDIS_URL": other_redis_url,
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    before = sys.modules.pop("workers.celery_app", None)
    yield importlib.import_module("workers.celery_app")
    settings.cache_clear()
    del sys.modules["workers.celery_app"]
    if before is not None:
        sys.modules["workers.celery_app"] = before
    with Redis.from_url(other_redis_url) as redis:
        redis.delete("test-connections")


def received(url: str) -> int:
    with Redis.from_url(url) as redis:
        return int(redis.llen("test-connections"))


def test_a_hundred_messages_take_one_connection(celery_app: ModuleType, other_redis_url: str) -> None:
    for n in range(100):
        celery_app.send(f"id-{n}", "test-connections", (f"task-{n}", 1), 0.0)

    assert received(other_redis_url) == 100
    assert celery_app.connections.opened == 1


def test_what_the_broker_closed_meanwhile_is_opened_anew(
    celery_app: ModuleType, other_redis_url: str
) -> None:
    celery_app.send("one", "test-connections", ("task", 1), 0.0)
    with Redis.from_url(other_redis_url) as redis:
        assert redis.client_kill_filter(_type="normal", skipme=True)

    celery_app.send("two", "test-connections", ("task", 1), 0.0)

    assert received(other_redis_url) == 2


def test_one_that_fails_is_used_no_more_and_what_was_to_be_sent_goes_over_a_new_one(
    celery_app: ModuleType, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    celery_app.send("one", "test-connections", ("task", 1), 0.0)
    send_task, failed = celery_app.celery.send_task, list[object]()

    def fails_once(*args: object, connection: object, **named: object) -> object:
        if not failed:
            failed.append(connection)
            raise OperationalError("as asked")
        assert connection not in failed
        return send_task(*args, connection=connection, **named)

    monkeypatch.setattr(celery_app.celery, "send_task", fails_once)
    celery_app.send("two", "test-connections", ("task", 1), 0.0)
    celery_app.send("three", "test-connections", ("task", 1), 0.0)

    assert received(other_redis_url) == 3
    assert celery_app.connections.opened == 2


def test_a_broker_that_is_away_is_said_to_be(celery_app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery_app.celery.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(celery_app.celery.conf, "broker_write_url", "redis://127.0.0.1:1/0")

    with pytest.raises(BrokerDown):
        celery_app.send("one", "test-connections", ("task", 1), 0.0)

    assert celery_app.connections.opened == 1


def test_those_who_send_at_once_have_connections_of_their_own(
    celery_app: ModuleType, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3)
    send_task = celery_app.celery.send_task

    def meet(*args: object, **named: object) -> object:
        together.wait(60)
        return send_task(*args, **named)

    monkeypatch.setattr(celery_app.celery, "send_task", meet)
    threads = [
        threading.Thread(target=celery_app.send, args=(f"{n}", "test-connections", ("task", 1), 0.0))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert received(other_redis_url) == 3
    assert celery_app.connections.opened == 3


def test_hints_of_deliveries_that_nobody_takes_do_not_fill_a_queue(
    celery_app: ModuleType, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(celery_app, "QUICK_QUEUE", "test-connections")
    monkeypatch.setattr(celery_app, "DELIVER_QUEUED", 3)

    for _ in range(10):
        celery_app.hint_deliveries()

    assert celery_app.length("test-connections") == received(other_redis_url) == 3
