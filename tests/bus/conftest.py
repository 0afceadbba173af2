"""A process of its own that subscribes and publishes: this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from app import bus, process_transactions
from app.bus import EventBus, EventService, source
from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.event import draft, now, user_stream
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.store import Store, append, lock_shared
from app.stream.transaction import Transaction, Transactions
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks


class Recorder:
    """A handler that remembers. ``hold`` keeps it at its first event until it is set."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, event: dict[str, Any]) -> None:
        self.received.append(event)
        assert self.hold.wait(60)

    async def awaited(self, event: dict[str, Any]) -> None:
        self(event)

    def waits(self, count: int = 1, seconds: float = 60.0) -> list[dict[str, Any]]:
        wait_for(f"{count} events", lambda: len(self.received) >= count, seconds)
        return self.received

    @property
    def sequences(self) -> list[int]:
        return [event.get("sequence", event.get("id")) for event in self.received]


def say(user_id: str, type: str = "note.made", **data: Any) -> int:
    """Publishes, and returns the sequence."""
    made = EventService().publish(user_id, type, data)
    assert made is not None
    return int(made["sequence"])


def unpublished(database: str, user_id: str, count: int = 1) -> None:
    """Committed, but Redis never heard of it."""
    stream = user_stream(user_id)
    with PersistentConnection(database)() as connection, connection.cursor() as cur:
        lock_shared(cur, {stream})
        append(cur, [draft(stream, "note.made", {"timestamp": now()}, projected=False)] * count, project)


@contextmanager
def process_of(database: str, redis_url: str) -> Iterator[Hub]:
    """It appends to that database, publishes to that Redis and hears by a hub of its own."""
    publisher = Publisher(redis_url)

    def begin() -> AbstractContextManager[Transaction]:
        return Transactions(PersistentConnection(database), project, publisher.publish)()

    store = Store(lambda: PersistentConnection(database)())
    hub = Hub(store, redis_url)
    hub.start()
    wait_for("Redis", lambda: hub.subscription.connected)
    process_before = process_transactions._transactions
    process_transactions.use_transactions(begin)
    bus.use(hub, store)
    try:
        yield hub
    finally:
        process_transactions.use_transactions(process_before)
        EventService().reset()
        source.reset()
        hub.stop()


@pytest.fixture
def hub(database: str, other_redis_url: str) -> Iterator[Hub]:
    with process_of(database, other_redis_url) as hub:
        yield hub


@pytest.fixture
def events(hub: Hub) -> Iterator[EventBus]:
    """The face by type."""
    events = EventBus()
    yield events
    events._stop()


@pytest.fixture
def service(hub: Hub) -> EventService:
    """The face by user."""
    return EventService()


@pytest.fixture
def user_id(database: str) -> str:
    return Tasks(database).user_id


@pytest.fixture
def other_id(database: str) -> str:
    return Tasks(database).user_id
