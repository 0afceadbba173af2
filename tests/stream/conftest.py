"""A hub over a store in memory, fed by the test; and a Redis that may be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.stream import fanout as fanouts
from app.stream.hub import Hub
from app.up.embedded_redis import EmbeddedRedis
from app.up.home import Home
from tests.stream.fakes import FakeStore, at_once, hub_over


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def hub(store: FakeStore) -> Iterator[Hub]:
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
    monkeypatch.setattr(fanouts, "TICK_SECONDS", 100.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis of the file's own, to be stopped and killed."""
    home = Home.open(tmp_path_factory.mktemp("redis"))
    with EmbeddedRedis(home, home.secrets) as server:
        yield server
