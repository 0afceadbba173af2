"""A hub over a store in memory, fed by the test; and a Redis that may be killed."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import pytest

from app.stream import delivery as deliveries
from app.stream import subscription as subscriptions
from app.stream.hub import Hub
from app.stream.subscription import Subscription
from app.up.home import Home
from tests.stream.fakes import FakeStore, at_once, hub_over
from tests.stream.recording import RecordingListener
from tests.support.embedded import EmbeddedRedis
from tests.support.system import wait_for


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def hub(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Whatever the machine does meanwhile, its flushes are not cut."""
    monkeypatch.setattr(deliveries, "SLICE_SECONDS", math.inf)
    hub = hub_over(store)
    yield hub
    hub.stop()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is published is sent at once."""
    at_once(monkeypatch)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first event of a room everything waits until the test calls ``tick``."""
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 100.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of the file's own, to be stopped and killed."""
    home = Home.open(tmp_path_factory.mktemp("redis"))
    with EmbeddedRedis(home) as server:
        yield server


@pytest.fixture
def listener() -> RecordingListener:
    return RecordingListener()


@pytest.fixture
def subscription(
    server: EmbeddedRedis, listener: RecordingListener, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Subscription]:
    """It pings often, and takes no busy machine for a Redis that has stopped."""
    monkeypatch.setattr(subscriptions, "PING_EVERY", 0.05)
    monkeypatch.setattr(subscriptions, "PING_LIMIT", 60.0)
    monkeypatch.setattr(subscriptions, "RECONNECT_SECONDS", (0.01, 0.1))
    subscription = Subscription(server.url, listener)
    thread = threading.Thread(target=subscription.run, daemon=True)
    thread.start()
    wait_for("the connection", lambda: subscription.connected)
    yield subscription
    subscription.stop()
    thread.join(60)
    assert not thread.is_alive()
