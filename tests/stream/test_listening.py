"""The listener's thread goes on whatever happens to a connection or a message, and it shows when it does not."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from contextlib import nullcontext
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from flask import Flask

from app.api import health
from app.stream import subscription as subscriptions
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.subscription import Subscription
from tests.stream.helpers import batch
from tests.stream.recording import RecordingListener
from tests.support.embedded import EmbeddedRedis
from tests.support.parts import Parts
from tests.support.system import ROOT, wait_for

pytestmark = pytest.mark.slow


def test_after_150_refused_connections_an_event_is_heard(
    server: EmbeddedRedis, listener: RecordingListener, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "RECONNECT_SECONDS", (0.0, 0.0))
    subscription, refused, connect = Subscription(server.url, listener), list[int](), redis.Connection.connect
    thread = threading.Thread(target=subscription.run, daemon=True)

    def refuse(connection: Any, *args: Any, **more: Any) -> None:
        if threading.current_thread() is thread and len(refused) < 150:
            refused.append(1)
            raise redis.ConnectionError("refused, as asked")
        connect(connection, *args, **more)

    monkeypatch.setattr(redis.Connection, "connect", refuse)
    subscription.subscribe("task:a")
    thread.start()
    wait_for("the confirmation", lambda: listener.confirmations == ["task:a"])
    Publisher(server.url).publish(batch("task:a", 1, 2))

    wait_for("the batch", lambda: listener.batches == [("task:a", [1, 2], False)])
    assert len(refused) == 150 and subscription.connects == 1
    subscription.stop()
    thread.join(60)
    assert not thread.is_alive()


class Reconnecting:
    """In the place of the event that ends the listener: notes the waits, takes no time, and ends after the last."""

    def __init__(self, last: int) -> None:
        self.waits: list[float] = []
        self._last = last

    def is_set(self) -> bool:
        return len(self.waits) >= self._last

    def set(self) -> None:
        self._last = 0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def test_after_150_refused_connections_the_next_waits_are_short_again(
    listener: RecordingListener, monkeypatch: pytest.MonkeyPatch
):
    subscription, waited = Subscription("redis://127.0.0.1:1/0", listener), Reconnecting(last=152)
    tries: list[int] = []

    class Connection:
        """Refused, but the 151st, which is lost at once."""

        def __init__(self, **_: Any) -> None:
            tries.append(1)

        def connect(self) -> None:
            if len(tries) != 151:
                raise redis.ConnectionError("refused, as asked")

        def read_response(self, **_: Any) -> Any:
            raise redis.ConnectionError("lost, as asked")

        def send_command(self, *_: Any, **__: Any) -> None: ...

        def disconnect(self) -> None: ...

    monkeypatch.setattr(subscription, "_connection_class", Connection)
    monkeypatch.setattr(subscription, "_stopped", waited)

    subscription.run()

    subscription.stop()
    assert waited.waits[:6] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert set(waited.waits[5:150]) == {1.0}, "seconds: the connection comes as late as that, not later"
    assert waited.waits[150:] == [0.05, 0.1], "after a connection they begin anew"
    assert subscription.connects == 1


def test_a_message_that_cannot_be_taken_costs_no_other(
    server: EmbeddedRedis,
    subscription: Subscription,
    listener: RecordingListener,
    caplog: pytest.LogCaptureFixture,
):
    """Were the connection made anew for each, what is published meanwhile would be missed each time."""
    subscription.subscribe("task:a")
    wait_for("the confirmation", lambda: listener.confirmations)
    publisher = Publisher(server.url)

    with caplog.at_level(logging.ERROR, "taskroom.faults"):
        for sequence in (1, 2, 3):
            listener.fault = SystemError("as asked")
            publisher.publish(batch("task:a", sequence, sequence))
            wait_for("the fault", lambda: listener.fault is None)
        publisher.publish(batch("task:a", 4, 4))
        wait_for("the next batch", lambda: listener.batches == [("task:a", [4], False)])

    assert subscription.connects == 1 and listener.confirmations == ["task:a"]
    assert subscription._faults.count == 3
    assert caplog.messages == ["a message from Redis could not be taken, and the others go on"]


# Each of twenty messages takes longer than a turn, and the next one is there already.
BACKLOG = """
from app import green
green.patch()
import threading, time
from types import SimpleNamespace
from app.stream import subscription as subscriptions

left, turns, seen = 20, 0, []

class Listener:
    def control_received(self, message):
        until = time.monotonic() + 2 * subscriptions.BACKLOG_SECONDS
        while time.monotonic() < until:
            pass
        seen.append(turns)

class Connection:
    def __init__(self, **_): pass
    def connect(self): pass
    def disconnect(self): pass
    def send_command(self, *_, **__): pass
    def read_response(self, **_):
        global left
        left -= 1
        if not left:
            subscription.stop()
        return [b"message", b"taskroom-control", b"x"]

def others():
    global turns
    while left:
        turns += 1
        time.sleep(0)

subscription = subscriptions.Subscription("redis://127.0.0.1:1/0", Listener())
subscription._connection_class = Connection
threading.Thread(target=others, daemon=True).start()
subscription.run()
print(seen)
"""


def test_others_have_their_turn_within_a_backlog_of_messages():
    done = subprocess.run(
        [sys.executable, "-c", BACKLOG], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    turns = json.loads(done.stdout)
    assert len(turns) == 20
    assert all(later > earlier for earlier, later in pairwise(turns)), "one at least between any two messages"


def ready(subscription: Subscription) -> dict[str, Any]:
    """What /readyz answers in a process whose Postgres is there."""
    cursor = SimpleNamespace(execute=lambda statement: None, fetchall=lambda: [(False, True)])
    connection = SimpleNamespace(cursor=lambda: nullcontext(cursor))
    app = Flask(__name__)
    app.register_blueprint(health.blp)
    app.extensions["taskroom"] = Parts(
        {Hub: SimpleNamespace(subscription=subscription)}, read=lambda: nullcontext(connection)
    )
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.get_json()
    return body


class Ended(BaseException):
    """What no guard of the product catches."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_listener_that_has_ended_shows(
    server: EmbeddedRedis,
    subscription: Subscription,
    listener: RecordingListener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def end(message: str) -> None:
        raise Ended

    monkeypatch.setattr(listener, "control_received", end)
    before = ready(subscription)

    with caplog.at_level(logging.CRITICAL, "taskroom.broker"):
        Publisher(server.url).control("end")
        wait_for("the end, and its log line", lambda: subscription.ended and caplog.messages)

    after = ready(subscription)
    assert (before["status"], before["redis"]["listening"]) == ("ok", True)
    assert (after["status"], after["redis"]["listening"]) == ("degraded", False)
    assert caplog.messages == ["nothing listens to Redis any more; restart this process"]
