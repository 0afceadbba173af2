"""Whatever Redis loses, doubles and reorders, and however little its wire takes: every viewer gets exactly what
comes after its cursor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.stream import delivery as deliveries
from app.stream import history as histories
from app.stream import hub as hubs
from app.stream import hub_state, shared_read, tailcheck, watched_room
from app.stream import room as rooms
from app.stream.event import Event
from app.stream.viewer import Viewer
from tests.stream.fakes import FakeStore, hub_over
from tests.stream.wires import EVERYTHING, LINES, PARCELS, FakeWire, go_on, tick

pytestmark = pytest.mark.slow

STREAM = "task:a"
RING = 8  # small, so that viewers fall behind it and gaps do not fit
PAGE = 5
CAPACITIES = st.sampled_from([0, 1, 30, 130, 300, 1_000, EVERYTHING])
FATES = ["heard", "lost", "late", "doubled"]


class Watched:
    """A viewer from ``cursor`` on, and what the test knows of what it may be told."""

    def __init__(self, viewer: Viewer, wire: FakeWire, cursor: int) -> None:
        self.viewer, self.wire, self.cursor = viewer, wire, cursor

    def check(self, pruned: int, last: int, closed: bool) -> int:
        """Where it stands. AssertionError for a gap, a repetition, or a resync without a reason."""
        at, ended = self.cursor, False
        for number, (kind, sequence, content) in enumerate(self.wire.whole):
            assert not ended, "something after the end"
            if kind == "event":
                assert sequence == content["sequence"] == at + 1
                at = sequence
            elif kind == "resync" and content["reason"] == "pruned":
                assert at < sequence <= pruned, f"{at} was not pruned, which went to {pruned}"
                at = sequence
            elif kind == "resync":
                assert number == 0 and at > sequence == content["head"] <= last
                at = sequence
            else:
                assert kind == "end" and closed and sequence == at == last
                ended = True
        return at


class Deliveries(RuleBasedStateMachine):
    """The store is the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for module in (tailcheck, rooms):
            self.patch.setattr(module, "RING_EVENTS", RING)
        self.patch.setattr(hub_state, "RINGS_BYTES", 3_000)
        self.patch.setattr(tailcheck, "EARLY_SECONDS", 0.0)
        self.patch.setattr(histories, "PAGE_EVENTS", PAGE)
        self.patch.setattr(histories, "KEPT_BYTES", 1_000 * PAGE)
        self.patch.setattr(deliveries, "TICK_SECONDS", 1e9)
        self.patch.setattr(deliveries, "SLICE_SECONDS", -1.0)  # each piece of a flush has a turn of its own
        self.patch.setattr(watched_room, "COHORT_VIEWERS", 2)
        self.later: list[Callable[[], None]] = []  # pages to read and rooms to refill
        for module in (hubs, shared_read):
            self.patch.setattr(module, "spawn", lambda *call: self.later.append(partial(*call)))
        self.store = FakeStore()
        self.store.add(STREAM)
        self.hub = hub_over(self.store)
        self.watched: list[Watched] = []
        self.underway: list[tuple[list[Event], bool]] = []

    @property
    def last(self) -> int:
        return len(self.store.events[STREAM])

    @property
    def open(self) -> bool:
        return STREAM not in self.store.closed

    @precondition(lambda self: self.open)
    @rule(count=st.integers(1, 2 * RING), fate=st.sampled_from(FATES))
    def append(self, count: int, fate: str) -> None:
        self._published(self.store.add(STREAM, count), False, fate)

    @precondition(lambda self: self.open and self.last > 20)
    @rule(fate=st.sampled_from(FATES[:3]))
    def close(self, fate: str) -> None:
        self._published(self.store.add(STREAM, 1, closes=True), True, fate)

    def _published(self, events: list[Event], closes: bool, fate: str) -> None:
        if fate in ("heard", "doubled"):
            self.hub.received(STREAM, events, closes)
        if fate in ("late", "doubled"):
            self.underway.append((events, closes))

    @precondition(lambda self: self.underway)
    @rule(data=st.data())
    def late_arrival(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.underway) - 1))
        self.hub.received(STREAM, *self.underway.pop(at))

    @rule(data=st.data(), codec=st.sampled_from([LINES, PARCELS]), capacity=CAPACITIES, refuses=st.booleans())
    def join(self, data: st.DataObject, codec: Any, capacity: int, refuses: bool) -> None:
        cursor = data.draw(st.integers(0, self.last + 3))
        viewer = self.hub.watch(STREAM, cursor)
        self.watched.append(Watched(viewer, FakeWire(codec, capacity, refuses), cursor))

    @precondition(lambda self: self.watched)
    @rule(data=st.data())
    def attach(self, data: st.DataObject) -> None:
        watched = data.draw(st.sampled_from(self.watched))
        if watched.viewer.wire is None:
            self.hub.attach(watched.viewer, watched.wire)

    @precondition(lambda self: self.watched)
    @rule(data=st.data(), capacity=CAPACITIES)
    def drain(self, data: st.DataObject, capacity: int) -> None:
        data.draw(st.sampled_from(self.watched)).wire.drain(capacity)

    @precondition(lambda self: self.watched)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        watched = self.watched.pop(data.draw(st.integers(0, len(self.watched) - 1)))
        watched.viewer.close()
        self._check(watched)

    @precondition(lambda self: self.watched)
    @rule(data=st.data())
    def goes(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.watched)).wire.gone = True

    @precondition(lambda self: self.later)
    @rule(data=st.data())
    def a_thread_runs(self, data: st.DataObject) -> None:
        self.later.pop(data.draw(st.integers(0, len(self.later) - 1)))()

    @precondition(lambda self: self.hub._delivery._unfinished)
    @rule()
    def a_flush_goes_on(self) -> None:
        go_on(self.hub)

    @rule()
    def tick(self) -> None:
        tick(self.hub)

    @rule()
    def sweep(self) -> None:
        self.hub._catchup.sweep(0.0)
        self.hub._sweep(0.0)

    @rule()
    def tail_check(self) -> None:
        self.hub._tailcheck.compare(self.hub._tailcheck.due(True, True))

    @precondition(lambda self: self.last > 3)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        pruned = self.store.pruned.get(STREAM, 0)
        self.store.pruned[STREAM] = data.draw(st.integers(pruned, self.last - 1))

    @invariant()
    def no_room_is_ahead_of_the_truth(self) -> None:
        assert all(watched.room.head <= self.last for watched in self.hub._rooms.values())

    @invariant()
    def what_was_sent_is_whole_and_dense(self) -> None:
        for watched in self.watched:
            self._check(watched)

    def teardown(self) -> None:
        try:
            self._all_have_everything()
        finally:
            self.hub.stop()
            self.patch.undo()

    def _check(self, watched: Watched) -> int:
        return watched.check(self.store.pruned.get(STREAM, 0), self.last, not self.open)

    def _all_have_everything(self) -> None:
        self.hub._tailcheck.compare(self.hub._tailcheck.due(True, True))
        for watched in self.watched:
            if watched.viewer.wire is None:
                self.hub.attach(watched.viewer, watched.wire)
        before: list[int] = []
        for _ in range(
            2 * self.last + 50
        ):  # each turn reads a page, sends what is kept of others, or is the last
            tick(self.hub)
            for watched in self.watched:
                watched.wire.drain()
            sent = [len(watched.wire.sequences) for watched in self.watched]
            if self.later:
                self.later.pop()()
            elif sent == before:
                break
            before = sent
        for watched in self.watched:
            if not watched.wire.gone:
                assert self._check(watched) == self.last and watched.wire.torn == ""
                assert watched.viewer.closed == (None if self.open else "ended")
        assert self.hub.ring_bytes == sum(watched.room.bytes for watched in self.hub._rooms.values())


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, derandomize=True, report_multiple_bugs=False
)
