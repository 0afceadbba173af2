"""Errors that a real Redis gives, or a server that speaks its protocol: who needs Redis goes on without it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import redis
from redis.connection import Connection

from app.broker import BrokerDown
from app.broker.client import Broker
from app.config import QUEUE
from app.errors import causes
from app.errors.survived import bugs
from app.http.rate_limits import PausingRedis
from app.realtime.presence import Presence
from app.stream.publisher import Publisher
from app.up.home import Home
from tests.errors.redis_states import KEY, STATES, LoneNode, PlainRedis, Refusing, Speaking, client
from tests.errors.table import MALFORMED, cause_of
from tests.stream.helpers import batch
from tests.support.embedded import EmbeddedRedis
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with PlainRedis(Home.open(tmp_path_factory.mktemp("refusing"))) as server:
        yield server


@pytest.fixture(scope="module")
def lone_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with LoneNode(Home.open(tmp_path_factory.mktemp("lone"))) as server:
        yield server


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = Connection(**client(url).get_connection_kwargs())
    yield connection
    connection.disconnect()


def named(each: Refusing) -> str:
    return each.name


def cause_by(url: str, *command: str, pipelined: bool = False) -> str:
    with client(url) as caller, pytest.raises(redis.RedisError) as raised:
        if pipelined:
            with caller.pipeline(transaction=False) as pipe:
                pipe.execute_command(*command)
                pipe.execute()
        else:
            caller.execute_command(*command)
    return causes.of(raised.value).value


@pytest.mark.parametrize("given", STATES, ids=named)
def test_its_cause_is_known_alone_and_in_a_pipeline(server: EmbeddedRedis, given: Refusing):
    with given.state(server) as url:
        alone, pipelined = cause_by(url, *given.command), cause_by(url, *given.command, pipelined=True)

    assert alone == pipelined == cause_of(given.name)
    with client(server.url) as caller:
        assert caller.set(KEY, "x"), "it is over"


def test_a_cluster_without_slots(lone_node: EmbeddedRedis):
    assert cause_by(lone_node.url, "GET", KEY) == cause_of("CLUSTERDOWN")


def test_a_command_that_waits_while_the_server_becomes_a_replica(server: EmbeddedRedis):
    with client(server.url) as admin, connected(server.url) as waiting:
        waiting.send_command("BLPOP", "an empty list", 0)
        wait_for("the command", lambda: admin.info("clients")["blocked_clients"])
        admin.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(redis.ResponseError) as raised:
            waiting.read_response()
        admin.execute_command("REPLICAOF", "NO", "ONE")

    assert causes.of(raised.value).value == cause_of("UNBLOCKED")


def test_an_answer_that_is_none():
    with closing(Speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as stranger:
        assert cause_by(stranger.url, "GET", KEY) == MALFORMED


def test_a_wrong_use_is_a_bug(server: EmbeddedRedis):
    with client(server.url) as caller:
        caller.set(KEY, "x")

    assert cause_by(server.url, "HGET", KEY, "x") == cause_of("WRONGTYPE")
    assert cause_by(server.url, "NOTHING", pipelined=True) == "bug"


@pytest.mark.parametrize("given", STATES, ids=named)
def test_who_needs_redis_goes_on_without_it(server: EmbeddedRedis, given: Refusing):
    bugs.clear()
    with given.state(server) as url:
        presence, counts, publisher = Presence(url), PausingRedis(f"limits+{url}"), Publisher(url)
        presence.add("a user", 1)
        presence.write()
        found = presence.count(["a user"])
        attempts = [counts.incr("an address", 60) for _ in range(3)]
        publisher.publish(batch("task:a", 1, 2))
        with pytest.raises(BrokerDown):
            Broker(url).send("one", QUEUE, ("task", 1), 0.0)

    assert found == {"a user": 1} and attempts == [1, 2, 3]
    assert not bugs, "none of it is a fault of ours"


def test_a_bug_in_a_question_to_redis_is_logged_and_the_caller_gets_an_answer(
    server: EmbeddedRedis, caplog: pytest.LogCaptureFixture
):
    bugs.clear()
    with client(server.url) as admin:
        admin.flushall()
        admin.set("taskroom-presence", "no set")
    presence = Presence(server.url)
    presence.add("a user", 1)

    with caplog.at_level(logging.ERROR, "taskroom.breaker"):
        found = presence.count(["a user"])

    assert found == {"a user": 1} and bugs == {"breaker": 1}
    (record,) = caplog.records
    assert "WRONGTYPE" in str(record.exc_info[1])  # type: ignore[index]
    with client(server.url) as admin:
        admin.flushall()


def test_a_bug_while_a_message_is_sent_is_logged_and_the_message_is_sent_again_later(
    server: EmbeddedRedis, caplog: pytest.LogCaptureFixture
):
    bugs.clear()
    broker = Broker(server.url)
    with caplog.at_level(logging.ERROR, "taskroom.dispatch"), pytest.raises(BrokerDown):
        broker.send("one", QUEUE, ("task", object()), 0.0)  # type: ignore[arg-type]

    assert bugs == {"dispatch": 1} and caplog.records[0].exc_info
    broker.send("one", QUEUE, ("task", 1), 0.0)
    with client(server.url) as admin:
        assert admin.llen(QUEUE) == 1
        admin.flushall()
