"""Whatever Redis loses, doubles and reorders: every viewer gets exactly what comes after its cursor."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.stream import hub as hubs
from app.stream import room as rooms
from app.stream.event import Event
from app.stream.viewer import Resync, Viewer
from tests.stream.fakes import FakeStore, hub_over
from tests.support.system import wait_for

STREAM = "task:a"
RING = 8  # small, so that viewers fall behind it and gaps do not fit


class Deliveries(RuleBasedStateMachine):
    """The store is the truth. ``viewers`` holds each viewer with the sequence it has so far."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(hubs, "RING_EVENTS", RING)
        self.patch.setattr(rooms, "RING_EVENTS", RING)
        self.patch.setattr(hubs, "EARLY_SECONDS", 0.0)
        self.store = FakeStore()
        self.store.add(STREAM)
        self.hub = hub_over(self.store)
        self.viewers: list[tuple[Viewer, list[int]]] = []
        self.underway: list[tuple[list[Event], bool]] = []

    @property
    def last(self) -> int:
        return len(self.store.events[STREAM])

    @property
    def open(self) -> bool:
        return STREAM not in self.store.closed

    @precondition(lambda self: self.open)
    @rule(count=st.integers(1, 2 * RING), fate=st.sampled_from(["heard", "lost", "late", "doubled"]))
    def append(self, count: int, fate: str) -> None:
        self._published(self.store.add(STREAM, count), False, fate)

    @precondition(lambda self: self.open and self.last > 20)
    @rule(fate=st.sampled_from(["heard", "lost", "late"]))
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

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        cursor = data.draw(st.integers(0, self.last + 3))
        self.viewers.append((self.hub.watch(STREAM, cursor), [cursor]))

    @precondition(lambda self: self.viewers)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        self._step(*data.draw(st.sampled_from(self.viewers)))

    @precondition(lambda self: self.viewers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        viewer, _ = self.viewers.pop(data.draw(st.integers(0, len(self.viewers) - 1)))
        viewer.close()

    @rule()
    def sweep(self) -> None:
        self.hub._sweep(float("inf"))

    @rule()
    def tail_check(self) -> None:
        self.hub._compare(self.hub._due(True))

    @precondition(lambda self: self.last > 3)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        pruned = self.store.pruned.get(STREAM, 0)
        self.store.pruned[STREAM] = data.draw(st.integers(pruned, self.last - 1))

    def _step(self, viewer: Viewer, position: list[int]) -> bool:
        """One turn; True when there was something. The cursor moves by one, or by a Resync that says why."""
        try:
            batch = viewer.next(0)
        except Resync as refused:
            if refused.reason == "pruned":
                assert position[0] < refused.cursor <= self.store.pruned[STREAM]
            else:
                assert position[0] > refused.cursor == refused.head
            position[0] = refused.cursor
            return True
        for event in batch.events:
            position[0] += 1
            assert event.sequence == position[0]
        assert batch.position == position[0]
        if batch.ended:
            assert not self.open and position[0] == self.last
        return bool(batch.events)

    @invariant()
    def no_room_is_ahead_of_the_truth(self) -> None:
        assert all(room.head <= self.last for room in self.hub._rooms.values())

    def teardown(self) -> None:
        try:
            self._all_have_everything()
        finally:
            self.hub.stop()
            self.patch.undo()

    def _all_have_everything(self) -> None:
        wait_for("refills", lambda: not any(room.refilling for room in self.hub._rooms.values()))
        self.hub._compare(self.hub._due(True))
        for viewer, position in self.viewers:
            while self._step(viewer, position):
                pass
            assert position[0] == self.last
            assert viewer.next(0).ended is not self.open


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, report_multiple_bugs=False
)
