"""A hub over a store in memory, fed by the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.stream.hub import Hub
from tests.stream.fakes import FakeStore, hub_over


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def hub(store: FakeStore) -> Iterator[Hub]:
    hub = hub_over(store)
    yield hub
    hub.stop()
