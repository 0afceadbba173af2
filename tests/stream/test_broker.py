"""Redis as a hint: what is published is heard, and a Redis that is away costs little and is noticed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
import redis

from app.stream import subscription as subscriptions
from app.stream.message import decode_batch, encode_batch
from app.stream.publisher import Publisher
from app.stream.store import Appended
from app.stream.subscription import Subscription
from tests.stream.helpers import batch, event, pid_of
from tests.stream.recording import RecordingListener
from tests.support.embedded import EmbeddedRedis
from tests.support.processes import suspended
from tests.support.system import wait_for


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def test_a_batch_is_decoded_as_it_was_encoded():
    events = [event("task:a", n, f"tab\tline\n{n}") for n in (7, 8, 9)]

    decoded, closes = decode_batch("task:a", encode_batch(events, True))

    assert closes and [(e.stream, e.sequence, e.payload, e.level) for e in decoded] == [
        ("task:a", e.sequence, e.payload, "INFO") for e in events
    ]
    assert decode_batch("task:a", encode_batch(events, False))[1] is False


GARBAGE = [
    "",
    "\n",
    "1 2",
    "1 1\n",
    "a b\nlog\t\t{}",
    "1\nlog\t\t{}",
    "1 3\nlog\t\t{}",
    "1 1\nno tabs",
    '{"a": 1}',
]


@pytest.mark.parametrize("message", GARBAGE)
def test_what_is_no_batch_is_a_value_error(message: str):
    with pytest.raises(ValueError):
        decode_batch("task:a", message)


def test_what_is_published_is_heard(
    server: EmbeddedRedis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("task:a")
    subscription.subscribe("task:b")
    wait_for("both confirmations", lambda: listener.confirmations == ["task:a", "task:b"])
    publisher = Publisher(server.url)

    publisher.publish(
        Appended([event("task:a", 1), event("task:b", 5), event("task:a", 2)], closed={"task:b"})
    )
    publisher.publish(batch("task:unheard", 1, 1))
    publisher.control("session-1")

    wait_for("the control message", lambda: listener.controls)
    assert listener.controls == ["session-1"]
    assert sorted(listener.batches) == [("task:a", [1, 2], False), ("task:b", [5], True)]


def test_another_database_of_the_same_server_is_another_installation(
    server: EmbeddedRedis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("broadcast")
    subscription.subscribe_kind("user", listener)
    wait_for("both", lambda: listener.confirmations and listener.openings)
    other = server.url.removesuffix("/0") + "/7"

    Publisher(other).publish(Appended([event("broadcast", 1), event("user:a", 1)]))
    Publisher(other).control("theirs")
    Publisher(server.url).publish(Appended([event("broadcast", 1), event("user:b", 1)]))
    Publisher(server.url).control("ours")

    wait_for("the last message", lambda: listener.controls)
    assert (listener.batches, listener.kind_batches) == ([("broadcast", [1], False)], [("user:b", [1])])
    assert listener.controls == ["ours"]


def test_an_unfollowed_stream_is_not_heard(
    server: EmbeddedRedis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("task:a")
    subscription.unsubscribe("task:a")
    subscription.subscribe("task:b")
    wait_for("the last confirmation", lambda: "task:b" in listener.confirmations)

    Publisher(server.url).publish(Appended([event("task:a", 1), event("task:b", 1)]))

    wait_for("a batch", lambda: listener.batches)
    assert listener.batches == [("task:b", [1], False)]


def test_a_kind_is_overheard_beside_what_is_followed_and_again_after_a_restart(
    server: EmbeddedRedis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("user:a")
    subscription.subscribe_kind("user", listener)
    # Twice where it was followed while the connection was being opened.
    wait_for("the opening", lambda: listener.openings and "user:a" in listener.confirmations)
    Publisher(server.url).publish(Appended([event("user:a", 1), event("task:a", 1), event("user:b", 5)]))
    wait_for("both", lambda: len(listener.kind_batches) == 2)

    server.kill()
    wait_for("the end to be noticed", lambda: not subscription.connected)
    before = listener.openings
    server.start()
    wait_for("another opening", lambda: listener.openings > before)
    Publisher(server.url).publish(batch("user:c", 1, 2))

    wait_for("the new one", lambda: len(listener.kind_batches) == 3)
    assert sorted(listener.kind_batches) == [("user:a", [1]), ("user:b", [5]), ("user:c", [1, 2])]
    assert listener.batches == [("user:a", [1], False)]
    subscription.unsubscribe_kind("user")
    subscription.subscribe("task:last")
    wait_for("the end of it", lambda: "task:last" in listener.confirmations)
    Publisher(server.url).publish(Appended([event("user:c", 3), event("task:last", 1)]))
    wait_for("what is followed", lambda: len(listener.batches) == 2)
    assert len(listener.kind_batches) == 3


def test_foreign_garbage_is_skipped(
    server: EmbeddedRedis, client: redis.Redis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("task:a")
    wait_for("the confirmation", lambda: listener.confirmations)

    for message in [*(m.encode() for m in GARBAGE), b"\xff\xfe\x00"]:
        client.publish("taskroom:task:a", message)
    client.publish("taskroom-control", b"\xff")
    Publisher(server.url).publish(batch("task:a", 1, 2))

    wait_for("the batch behind the garbage", lambda: listener.batches)
    assert listener.batches == [("task:a", [1, 2], False)] and listener.confirmations == ["task:a"]
    assert listener.controls == ["\ufffd"]


def test_a_listener_that_hangs_is_silent_and_that_is_told_once(
    server: EmbeddedRedis,
    subscription: Subscription,
    listener: RecordingListener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Its connection stands all the while: only its silence tells."""
    monkeypatch.setattr(subscriptions, "STALE_SECONDS", 0.2)
    monkeypatch.setattr(subscriptions, "FRESH_SECONDS", 0.2)
    monkeypatch.setattr(subscriptions, "SETTLE_SECONDS", 0.0)
    wait_for("a sign of life", lambda: subscription.receiving)
    hangs, go_on = threading.Event(), threading.Event()

    def hang(message: str) -> None:
        hangs.set()
        go_on.wait(60)

    monkeypatch.setattr(listener, "control_received", hang)

    def watched(text: str) -> bool:
        subscription.watch()
        return any(text in message for message in caplog.messages)

    with caplog.at_level(logging.WARNING, "taskroom.broker"):
        Publisher(server.url).control("hang")
        assert hangs.wait(60)
        wait_for("the silence to be told", lambda: watched("nothing received from Redis"))
        assert subscription.connected and subscription.stale and not subscription.receiving
        go_on.set()
        wait_for("its end to be told", lambda: watched("messages from Redis are received again"))

    assert len(caplog.messages) == 2 and not subscription.stale


def test_a_stopped_redis_is_noticed_and_heard_again(
    server: EmbeddedRedis,
    subscription: Subscription,
    listener: RecordingListener,
    monkeypatch: pytest.MonkeyPatch,
):
    subscription.subscribe("task:a")
    wait_for("the confirmation", lambda: listener.confirmations)
    pid = pid_of(server)

    with suspended(pid):
        with monkeypatch.context() as patch:
            patch.setattr(subscriptions, "PING_LIMIT", 0.2)
            noticed = "no answer to a ping"  # and not the socket's own time limit
            wait_for("the silence to be noticed", lambda: subscription._trouble.startswith(noticed))
        subscription.subscribe("task:b")

    wait_for("both streams", lambda: sorted(listener.confirmations) == ["task:a", "task:a", "task:b"])
    Publisher(server.url).publish(batch("task:b", 1, 1))
    wait_for("a batch", lambda: listener.batches == [("task:b", [1], False)])


def test_a_quiet_connection_stays_and_shows_signs_of_life(subscription: Subscription):
    seen = {subscription._received_at}

    def pinged() -> bool:
        seen.add(subscription._received_at)
        return len(seen) >= 4

    wait_for("three answers to pings", pinged)
    assert subscription.connected and subscription.connects == 1


def test_a_restarted_redis_is_followed_again(
    server: EmbeddedRedis, subscription: Subscription, listener: RecordingListener
):
    subscription.subscribe("task:a")
    subscription.subscribe("task:b")
    wait_for("both confirmations", lambda: listener.confirmations == ["task:a", "task:b"])
    subscription.unsubscribe("task:b")

    server.kill()
    wait_for("the end to be noticed", lambda: not subscription.connected)
    server.start()

    wait_for("a new confirmation", lambda: listener.confirmations == ["task:a", "task:b", "task:a"])
    assert listener.reconnections == 2
    Publisher(server.url).publish(batch("task:a", 3, 4, closes=True))
    wait_for("a batch", lambda: listener.batches == [("task:a", [3, 4], True)])
