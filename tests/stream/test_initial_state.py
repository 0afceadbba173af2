"""The present state that a viewer is told first: of a thousand viewers that do not take it none keeps it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from sys import getrefcount

import pytest

from app.stream import initial_state
from app.stream.codec import Filter
from app.stream.event import Event
from app.stream.hub import Hub
from app.stream.initial_state import InitialState, StateCache
from app.stream.store import DatabaseUnavailable, NoSuchStream
from app.stream.viewer import Viewer
from tests.stream.fakes import FakeStore, publish
from tests.stream.helpers import event
from tests.stream.wires import BATCHES, FakeWire
from tests.support.system import wait_for

A = "task:a"
LARGE = "x" * 50_000


class Source:
    """A task's state, as it changes."""

    def __init__(self, *sequences: int, upto: int) -> None:
        self.state, self.upto = [event(A, n, LARGE) for n in sequences], upto
        self.read = 0
        self.fails: Exception | None = None

    def __call__(self, stream: str) -> tuple[list[Event], int]:
        self.read += 1
        if self.fails is not None:
            raise self.fails
        return list(self.state), self.upto


def joined(hub: Hub, capacity: int, types: frozenset[str] | None = None) -> tuple[Viewer, FakeWire]:
    """One that has joined as a socket does, and whose wire takes so much."""
    upto = hub.states.read_shared(A)
    viewer, wire = hub.watch(A, upto, Filter(types)), FakeWire(BATCHES, capacity=capacity)
    viewer.initial = InitialState(upto, viewer.filter)
    hub.attach(viewer, wire)
    return viewer, wire


def test_what_viewers_do_not_take_is_read_again_when_they_do(hub: Hub, store: FakeStore) -> None:
    source = hub.states.source = Source(1, 3, 4, upto=5)
    store.add(A, 5)
    held = getrefcount(source.state[1])
    viewers = [joined(hub, 10) for _ in range(20)]
    hub.states.drop(A)
    read, still = source.read, getrefcount(source.state[1])
    assert still == held, "none keeps it"

    for _, wire in viewers:
        wire.drain()

    for _, wire in viewers:
        wire.gets(1, 3, 4)
    assert 1 <= source.read - read < 20, "those who come together share it"


def test_what_changed_meanwhile_comes_once_and_after_the_cursor(hub: Hub, store: FakeStore) -> None:
    source = hub.states.source = Source(1, 3, 4, upto=5)
    store.add(A, 5)
    _, wire = joined(hub, 10)  # the first has begun
    publish(hub, store, A)
    hub.states.drop(A)
    source.state, source.upto = [event(A, 1), event(A, 4), event(A, 6)], 6  # the phase of 3 went on

    wire.drain()

    wire.gets(1, 4, 6)


def test_a_state_that_is_older_than_the_viewer_is_read_anew(hub: Hub, store: FakeStore) -> None:
    source = hub.states.source = Source(1, 3, upto=5)
    store.add(A, 5)
    _, wire = joined(hub, 10)
    hub.states.keep(A, [event(A, 1)], 2)

    wire.drain()

    wire.gets(1, 3)
    assert source.read == 2


@pytest.mark.parametrize(
    ("fails", "left"),
    [(DatabaseUnavailable("away"), []), (KeyError("a fault"), ["unavailable"]), (NoSuchStream(A), [])],
)
def test_when_it_cannot_be_read_the_viewer_waits_is_sent_away_or_goes_on(
    hub: Hub, store: FakeStore, fails: Exception, left: list[str]
) -> None:
    source = hub.states.source = Source(1, 3, upto=5)
    store.add(A, 5)
    viewer, wire = joined(hub, 10)
    hub.states.drop(A)
    source.fails = fails

    wire.drain()

    wait_for(
        "the answer", lambda: viewer in hub._catchup._unanswered or viewer.closed or viewer.cohort is not None
    )
    assert wire.lefts == left and wire.sequences == [1]


def test_who_joins_at_the_same_moment_shares_a_reading() -> None:
    states, come, go = StateCache(), threading.Event(), threading.Event()
    read = list[str]()

    def source(stream: str) -> tuple[list[Event], int]:
        read.append(stream)
        come.set()
        go.wait(60)
        return [event(A, 1)], 1

    states.source = source
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(states.read_shared, A)
        assert come.wait(60)
        others = [pool.submit(states.read_shared, A) for _ in range(9)]
        wait_for("they ask", lambda: all(other.running() for other in others))
        go.set()
        assert {future.result(60) for future in [first, *others]} == {1}

    assert len(read) < 10


def test_what_is_kept_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_state, "KEPT_BYTES", 200_000)
    states = StateCache()

    for n in range(10):
        states.keep(f"task:{n}", [event(f"task:{n}", 1, LARGE)], 1)

    assert 50_000 < states.bytes <= 200_000
    assert (
        states.unsent("task:9", InitialState(1, Filter()))
        and states.unsent("task:0", InitialState(1, Filter())) is None
    )
