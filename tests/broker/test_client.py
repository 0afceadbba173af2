"""Messages go over connections that are kept: one for each would be a handshake for each."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from kombu.exceptions import OperationalError
from redis import Redis

from app.broker import BrokerDown, client
from app.broker.client import Broker

pytestmark = pytest.mark.slow

QUEUE = "test-connections"


@pytest.fixture
def broker(other_redis_url: str) -> Iterator[Broker]:
    """A client of this test's own, of a real broker."""
    yield Broker(other_redis_url)
    with Redis.from_url(other_redis_url) as redis:
        redis.delete(QUEUE)


def received(url: str) -> int:
    with Redis.from_url(url) as redis:
        return int(redis.llen(QUEUE))


def clients(redis: Redis) -> set[str]:
    """The ids of the connections to this database."""
    number = str(redis.connection_pool.connection_kwargs["db"])
    return {client["id"] for client in redis.client_list() if client["db"] == number}


def test_a_hundred_messages_take_one_connection(broker: Broker, other_redis_url: str) -> None:
    for n in range(100):
        broker.send(f"id-{n}", QUEUE, (f"task-{n}", 1), 0.0)

    assert received(other_redis_url) == 100
    assert broker.connections.opened == 1


def test_what_the_broker_closed_meanwhile_is_opened_anew(broker: Broker, other_redis_url: str) -> None:
    with Redis.from_url(other_redis_url) as redis:
        before = clients(redis)
        broker.send("one", QUEUE, ("task", 1), 0.0)
        opened = clients(redis) - before
        # No others: all processes of the tests ask this server.
        assert opened and all(redis.client_kill_filter(_id=id) for id in opened)

    broker.send("two", QUEUE, ("task", 1), 0.0)

    assert received(other_redis_url) == 2


def test_one_that_fails_is_used_no_more_and_what_was_to_be_sent_goes_over_a_new_one(
    broker: Broker, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.send("one", QUEUE, ("task", 1), 0.0)
    send_task, failed = broker.celery.send_task, list[object]()

    def fails_once(*args: object, connection: object, **named: object) -> object:
        if not failed:
            failed.append(connection)
            raise OperationalError("as asked")
        assert connection not in failed
        return send_task(*args, connection=connection, **named)

    monkeypatch.setattr(broker.celery, "send_task", fails_once)
    broker.send("two", QUEUE, ("task", 1), 0.0)
    broker.send("three", QUEUE, ("task", 1), 0.0)

    assert received(other_redis_url) == 3
    assert broker.connections.opened == 2


def test_a_broker_that_is_away_is_said_to_be() -> None:
    broker = Broker("redis://127.0.0.1:1/0")

    with pytest.raises(BrokerDown):
        broker.send("one", QUEUE, ("task", 1), 0.0)

    assert broker.connections.opened == 1


def test_those_who_send_at_once_have_connections_of_their_own(
    broker: Broker, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3)
    send_task = broker.celery.send_task

    def meet(*args: object, **named: object) -> object:
        together.wait(60)
        return send_task(*args, **named)

    monkeypatch.setattr(broker.celery, "send_task", meet)
    threads = [
        threading.Thread(target=broker.send, args=(f"{n}", QUEUE, (f"task-{n}", 1), 0.0)) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert received(other_redis_url) == 3
    assert broker.connections.opened == 3


def test_hints_of_deliveries_that_nobody_takes_do_not_fill_a_queue(
    broker: Broker, other_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "QUICK_QUEUE", QUEUE)
    monkeypatch.setattr(client, "DELIVER_QUEUED", 3)

    for _ in range(10):
        broker.hint_deliveries()

    assert broker.length(QUEUE) == received(other_redis_url) == 3
