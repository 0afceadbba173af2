"""Nothing waits while the hub's lock is held, and no loop over thousands is one turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from app.stream import background, tailcheck
from app.stream.hub import LINGER_SECONDS, Hub
from app.stream.subscription import Subscription
from tests.stream.fakes import FakeStore, publish
from tests.stream.recording import RecordingListener
from tests.stream.wires import view
from tests.support.system import wait_for

A, B = "task:a", "task:b"


class Slow:
    """A connection to Redis whose socket takes nothing until the gate opens, and remembers what it was sent."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked = threading.Event()
        self.commands: list[tuple[str, ...]] = []

    def send_command(self, *args: str, check_health: bool = True) -> None:
        self.asked.set()
        assert self.gate.wait(60), "nobody opened the gate"
        self.commands.append(args)


@pytest.fixture
def slow(listener: RecordingListener) -> Iterator[tuple[Subscription, Slow]]:
    """A subscription that is connected, and its connection."""
    subscription, connection = Subscription("redis://127.0.0.1:1/0", listener), Slow()
    subscription.channels.connection = connection
    thread = threading.Thread(target=subscription.channels.run, daemon=True)
    thread.start()
    yield subscription, connection
    connection.gate.set()
    subscription.stop()
    thread.join(60)


def test_who_opens_and_leaves_rooms_does_not_wait_for_redis(
    hub: Hub, store: FakeStore, slow: tuple[Subscription, Slow]
):
    hub.subscription, connection = slow
    store.add(A), store.add(B)
    viewer, wire = view(hub, A, 0)
    wire.gets(1)
    assert connection.asked.wait(60)

    view(hub, B, 0)[1].gets(1)
    viewer.close()
    hub._sweep(time.monotonic() + LINGER_SECONDS + 1)
    publish(hub, store, B)

    assert hub.rooms == 1 and connection.commands == []
    connection.gate.set()
    wait_for("the last command", lambda: len(connection.commands) == 3)
    channels = [(command, channel) for command, channel in connection.commands]
    assert channels[0] == ("SUBSCRIBE", "taskroom:task:a")
    assert sorted(channels[1:]) == [("SUBSCRIBE", "taskroom:task:b"), ("UNSUBSCRIBE", "taskroom:task:a")]


def test_many_channels_are_one_command(slow: tuple[Subscription, Slow]):
    subscription, connection = slow
    subscription.subscribe("task:first")
    assert connection.asked.wait(60)
    for number in range(1_200):
        subscription.subscribe(f"task:{number}")
    for number in range(100):
        subscription.unsubscribe(f"task:{number}")

    connection.gate.set()

    wait_for("all commands", lambda: len(connection.commands) == 5)
    sizes = [(command, len(channels)) for command, *channels in connection.commands]
    assert sizes == [
        ("SUBSCRIBE", 1),
        ("SUBSCRIBE", 500),
        ("SUBSCRIBE", 500),
        ("SUBSCRIBE", 100),
        ("UNSUBSCRIBE", 100),
    ]


def test_a_stream_that_is_wanted_again_is_subscribed_last(slow: tuple[Subscription, Slow]):
    subscription, connection = slow
    subscription.subscribe("task:first")
    assert connection.asked.wait(60)
    subscription.subscribe(A), subscription.unsubscribe(A), subscription.subscribe(A)

    connection.gate.set()
    subscription.subscribe(B)

    wait_for("the last command", lambda: any("taskroom:task:b" in c for c in connection.commands))
    about = [command for command, *channels in connection.commands if "taskroom:task:a" in channels]
    assert about == ["SUBSCRIBE"]


def test_what_could_not_be_sent_is_in_the_next_connections_list(listener: RecordingListener):
    subscription = Subscription("redis://127.0.0.1:1/0", listener)
    subscription.subscribe(A), subscription.subscribe(B), subscription.unsubscribe(B)
    subscription.channels.send_changes()  # there is no connection
    connection = Slow()
    connection.gate.set()

    subscription.channels.open(connection)

    assert connection.commands == [("SUBSCRIBE", "taskroom-control", "taskroom:task:a")]


def test_no_thread_is_waited_for_under_the_lock(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    held: list[bool] = []
    start = threading.Thread.start

    def watched(thread: threading.Thread) -> None:
        held.append(hub._lock._is_owned())  # type: ignore[attr-defined]
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", watched)
    store.add(A, 3)
    _, back = view(hub, A, 0)  # reads a page
    back.gets(1, 2, 3)
    store.add(A)
    publish(hub, store, A)  # comes early: the room is refilled

    wait_for("the refill", lambda: back.sequences == [1, 2, 3, 4, 5])
    assert not any(held)


def sweep_stalled(hub: Hub) -> None:
    hub._catchup.parking.update(hub.viewers())
    hub._catchup.sweep(float("inf"))


def sweep_unread(hub: Hub) -> None:
    hub._catchup._unanswered.update(hub.viewers())
    hub._catchup.sweep(time.monotonic())


Action = Callable[[Hub], None]
LONG: list[tuple[str, Action]] = [
    ("sweep", lambda hub: hub._sweep(time.monotonic() + LINGER_SECONDS + 1)),
    ("close", lambda hub: hub.close_viewers("draining")),
    ("tick", lambda hub: hub._delivery._tick(float("inf"))),
    ("compare", lambda hub: hub._tailcheck.compare(hub._tailcheck.due(True, True))),
    ("stalled", sweep_stalled),
    ("unread", sweep_unread),
]


@pytest.mark.parametrize("action", [action for _, action in LONG], ids=[name for name, _ in LONG])
def test_a_long_loop_lets_others_run(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch, action: Action
):
    viewers = []
    for number in range(1_000):
        store.add(f"task:{number}")
        viewers.append(hub.watch(f"task:{number}", 1))
    if action is LONG[0][1]:
        for viewer in viewers:
            viewer.close()
    hub._delivery._busy.update(hub._rooms.values())
    turns: list[bool] = []

    def sleep(seconds: float) -> None:
        turns.append(hub._lock._is_owned())  # type: ignore[attr-defined]

    monkeypatch.setattr(background, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))
    action(hub)
    monkeypatch.undo()

    assert len(turns) >= 4 and not any(turns)


def test_no_query_asks_for_too_many_rooms(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tailcheck, "ROOMS_AT_ONCE", 20)
    for number in range(50):
        store.add(f"task:{number}")
        hub.watch(f"task:{number}", 1)
    asked = len(store.asked)

    hub._tailcheck.compare(hub._tailcheck.due(True, True))

    assert [len(about) for _, about in store.asked[asked:]] == [20, 20, 10]
