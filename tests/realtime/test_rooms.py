"""Many rooms on one connection: one id that holds every room's cursor, and is right after every message."""

from __future__ import annotations

import gc
import json
import random
import socket
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from app.realtime.sse_codec import PLAIN
from app.realtime.sse_cursors import composite, cursors_of
from app.realtime.sse_rooms import ManyRoomsConnection
from app.stream import shared_read
from app.stream.hub import Hub
from tests.realtime.test_event_stream import Message, parse
from tests.realtime.test_sse_wire import Wires
from tests.stream.fakes import FakeStore, at_once, publish

NAMES = ["task:a", "task:b", "user:c"]


def is_right(messages: list[Message], streams: list[str], start: list[int]) -> list[int]:
    """Each id says what was seen up to there, neither more nor less; returns where the last one stands."""
    seen = dict(zip(streams, start, strict=True))
    for message in messages:
        data = json.loads(message.data)
        if "sequence" in data:
            assert data["sequence"] == seen[data["stream"]] + 1, "once and in order"
            seen[data["stream"]] = data["sequence"]
        assert cursors_of(message.id, streams) == list(seen.values()), message
    return list(seen.values())


class Narrow:
    """A client whose connection takes little at a time."""

    def __init__(self, hub: Hub, cursors: list[int]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            self.client = socket.socket()
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.client.connect(listener.getsockname())
            taken, _ = listener.accept()
        taken.setblocking(False)
        self.client.settimeout(0.05)
        self.wires, self.received = Wires(), b""
        viewers = [hub.watch(name, cursor) for name, cursor in zip(NAMES, cursors, strict=True)]
        principal: Any = SimpleNamespace(user_id="u", expires_at=0)
        self.connection = ManyRoomsConnection(self.wires, taken, PLAIN, viewers, principal)  # type: ignore[arg-type]
        self.connection.attach(hub)

    def turn(self) -> None:
        for ready, write in list(self.wires.watched.values()):
            if write:
                ready(2)

    def read(self, size: int) -> None:
        with suppress(TimeoutError):
            self.received += self.client.recv(size)

    def messages(self) -> list[Message]:
        whole, _, _ = self.received.rpartition(b"\n\n")
        return parse(whole + b"\n\n")[0]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    at_once(monkeypatch)
    store = FakeStore()
    for name in NAMES:
        store.add(name)
    return store


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Does what waits for Postgres, in this thread: a web process has one, and a line is no thing for two."""
    waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
    monkeypatch.setattr(shared_read, "spawn", lambda function, *args: waiting.append((function, args)))

    def done() -> None:
        while waiting:
            function, args = waiting.popleft()
            function(*args)

    return done


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_connection_takes_each_id_is_right(
    hub: Hub, store: FakeStore, reads: Callable[[], None], seed: int
) -> None:
    chance = random.Random(seed)
    narrow, unsent = Narrow(hub, [1, 1, 1]), 0
    for _ in range(150):
        publish(hub, store, chance.choice(NAMES), chance.randint(1, 30))
        if chance.random() < 0.5:
            narrow.read(chance.randint(1, 6000))
        reads()
        narrow.turn()
        unsent += narrow.connection.unsent > 0

    def all_there() -> bool:
        reads()
        narrow.turn()
        narrow.read(65536)
        return narrow.received.count(b'"sequence":') >= total and len(narrow.messages()) == total

    total = sum(len(store.events[name]) - 1 for name in NAMES)

    assert any(all_there() for _ in range(10_000)), "every event"  # nothing here happens by itself
    ends = is_right(narrow.messages(), NAMES, [1, 1, 1])
    narrow.client.close()
    assert ends == [len(store.events[name]) for name in NAMES]
    assert unsent, "no frame was ever half sent, so nothing was tried"


def test_a_connection_that_has_ended_is_not_left_to_the_garbage_collector(hub: Hub, store: FakeStore) -> None:
    """Hundreds that end at once would be a collection of a second."""
    narrow = Narrow(hub, [1, 1, 1])
    connection = weakref.ref(narrow.connection)
    gc.disable()
    try:
        for name in NAMES:
            publish(hub, store, name, 1, closes=True)
        narrow.client.close()
        narrow.wires.removed.clear()
        del narrow

        assert connection() is None
    finally:
        gc.enable()


def test_who_has_left_leaves_nothing_behind_in_a_quiet_room(hub: Hub, store: FakeStore) -> None:
    """Each connection has a cohort of its own, and a quiet room sends nothing at which it would be noticed."""
    stays = hub.watch(NAMES[0], 1)
    for _ in range(20):
        narrow = Narrow(hub, [1, 1, 1])
        assert all(viewer.cohort for viewer in narrow.connection.viewers)
        narrow.connection.close("gone")
        narrow.client.close()

    assert not any(hub._rooms[name].cohorts for name in NAMES)
    stays.close()


def test_what_is_made_for_one_connection_takes_no_place_among_what_others_share(
    hub: Hub, store: FakeStore
) -> None:
    stays = hub.watch(NAMES[0], 1)
    publish(hub, store, NAMES[0], 20)

    narrow = Narrow(hub, [1, 1, 1])

    assert narrow.connection.viewers[0].cursor > 1 and hub._catchup._batches == {}
    narrow.client.close()
    stays.close()


def test_a_composite_id_is_of_its_rooms_alone() -> None:
    id = composite(NAMES, [1, 22, 333])

    assert cursors_of(id, NAMES) == [1, 22, 333]
    assert cursors_of(id, NAMES[:2]) is None
    assert cursors_of(id, ["task:x", *NAMES[1:]]) is None
    head = id.partition(".")[0]
    for wrong in (
        "",
        "1",
        head,
        f"{head}.1.2",
        f"{head}.1.2.3.4",
        f"{head}.1.2.x",
        f"{head}.1.2.-3",
        f"{head}.1.2.{10**19}",
    ):
        assert cursors_of(wrong, NAMES) is None, wrong
