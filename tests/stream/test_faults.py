"""A room, a wire, a codec or a timer that fails does so alone: the others go on, it is logged once and counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.stream import faults, tailcheck
from app.stream.event import Event
from app.stream.faults import Faults
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable
from app.stream.viewer import Viewer
from app.stream.watched_room import WatchedRoom
from tests.stream.fakes import FakeStore, publish
from tests.stream.wires import FakeWire, Lines, view
from tests.support.system import wait_for

A, B = "task:a", "task:b"


def failing(*_: Any, **__: Any) -> Any:
    raise SystemError("as asked")


class Broken(FakeWire):
    """Its library has changed: once it is ``broken`` whatever it does raises."""

    broken = False

    def send(self, data: Any) -> int:
        return failing() if self.broken else super().send(data)

    def send_remainder(self) -> bool:
        return failing() if self.broken else super().send_remainder()

    def call_when_writable(self, viewer: Viewer) -> None:
        return failing() if self.broken else super().call_when_writable(viewer)

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        super().on_closed(viewer, reason)
        if self.broken:
            failing()


class Picky(Lines):
    """A format that cannot say the third event."""

    def frame(self, event: Event) -> bytes:
        return failing() if event.sequence == 3 else super().frame(event)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.ERROR, "taskroom.faults")
    return caplog


@pytest.mark.usefixtures("quiet")
def test_a_wire_that_fails_leaves_and_the_others_of_its_lane_go_on(
    hub: Hub, store: FakeStore, logged: pytest.LogCaptureFixture
):
    store.add(A)
    wires = [FakeWire(), Broken(), FakeWire(), Broken(), FakeWire()]
    viewers = [view(hub, A, 1, wire)[0] for wire in wires]
    for wire in (wires[1], wires[3]):
        wire.broken = True  # type: ignore[attr-defined]

    publish(hub, store, A, 2)
    publish(hub, store, A, 2)

    for number in (0, 2, 4):
        wires[number].gets(2, 3, 4, 5)
        assert viewers[number].closed is None
    assert [viewers[number].closed for number in (1, 3)] == ["gone"] * 2
    assert logged.messages == [
        "a Broken failed, and the others go on",
        "a Broken could not close a viewer, and the others go on",
    ]
    assert hub.faults.count == 4


@pytest.mark.usefixtures("quiet")
def test_a_format_that_fails_ends_its_viewers_alone(hub: Hub, store: FakeStore):
    store.add(A)
    picky, (_, plain) = Picky(), view(hub, A, 1)
    (keeps_up, _), (behind, _) = (
        view(hub, A, 1, FakeWire(picky)),
        view(hub, A, 1, FakeWire(picky, capacity=5)),
    )

    publish(hub, store, A)
    publish(hub, store, A)
    publish(hub, store, A)

    plain.gets(2, 3, 4)
    behind.wire.drain()  # type: ignore[union-attr]
    assert (keeps_up.closed, behind.closed) == ("gone", "gone")
    assert hub.faults.count == 2


def test_what_a_wire_raises_while_it_is_closed_keeps_no_other_open(hub: Hub, store: FakeStore):
    store.add(A)
    wires = [Broken() for _ in range(3)]
    viewers = [view(hub, A, 1, wire)[0] for wire in wires]
    for wire in wires:
        wire.broken = True

    hub.close_viewers("signed_out")

    assert [viewer.closed for viewer in viewers] == ["signed_out"] * 3
    assert [wire.lefts for wire in wires] == [["signed_out"]] * 3 and hub.viewers() == []


def test_counting_viewers_may_fail(hub: Hub, store: FakeStore):
    store.add(A)
    hub.on_viewer = failing

    viewer, wire = view(hub, A, 0)
    wire.gets(1)
    viewer.close("signed_out")

    assert wire.lefts == ["signed_out"] and hub.viewers() == [] and hub.faults.count == 2


def test_a_keep_alive_that_fails_ends_its_viewer_alone(hub: Hub, store: FakeStore):
    store.add(A)
    (one, _), (other, _) = view(hub, A, 1), view(hub, A, 1)

    hub.send_control(one, failing)

    assert (one.closed, other.closed) == ("gone", None)


BREAKS: list[tuple[str, Callable[[Hub, pytest.MonkeyPatch], None]]] = [
    ("sweeping", lambda hub, patch: patch.setattr(hub, "_sweep", failing)),
    ("watching", lambda hub, patch: patch.setattr(hub.subscription, "watch", failing)),
]


@pytest.mark.parametrize("breaks", [breaks for _, breaks in BREAKS], ids=[name for name, _ in BREAKS])
def test_the_tail_check_outlives_what_else_its_timer_does(
    hub: Hub,
    store: FakeStore,
    monkeypatch: pytest.MonkeyPatch,
    logged: pytest.LogCaptureFixture,
    breaks: Callable[[Hub, pytest.MonkeyPatch], None],
):
    monkeypatch.setattr(tailcheck, "TAIL_SECONDS", 0.05)
    monkeypatch.setattr(tailcheck, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(tailcheck, "SWEEP_SECONDS", 0.01)
    store.add(A)
    _, wire = view(hub, A, 1)
    breaks(hub, monkeypatch)
    hub.start()
    wait_for("faults", lambda: hub.faults.count >= 3)

    store.add(A)

    wire.gets(2)
    assert len(logged.messages) == 1


def test_a_room_that_cannot_be_compared_keeps_no_other_from_it(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    streams = [f"task:{n}" for n in range(6)]
    for stream in streams:
        store.add(stream)
    wires = [view(hub, stream, 1)[1] for stream in streams]
    after = store.after

    def fails_for_two(stream: str, cursor: int, limit: int = 500) -> list[Event]:
        if stream == streams[0]:
            raise SystemError("as asked")
        if stream == streams[2]:
            raise DatabaseUnavailable("too slow, as asked")
        return after(stream, cursor, limit)

    monkeypatch.setattr(store, "after", fails_for_two)
    for stream in streams:
        store.add(stream)

    with pytest.raises(DatabaseUnavailable, match="too slow"):
        hub._tailcheck.compare(hub._tailcheck.due(True, True))

    assert [wire.sequences for wire in wires] == [[], [2], [], [2], [2], [2]]
    assert hub.faults.count == 1


def test_a_batch_that_could_not_be_taken_is_read_from_postgres(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A)
    viewer, wire = view(hub, A, 1)
    hub.confirmed(A)
    assert hub._tailcheck.due(False, True) == [hub._rooms[A]] and hub._tailcheck.due(False, True) == []
    with monkeypatch.context() as patch:
        patch.setattr(type(viewer.room), "accept", failing)
        publish(hub, store, A)
    assert wire.sequences == [] and hub.faults.count == 1

    hub._tailcheck.compare(hub._tailcheck.due(False, True))

    wire.gets(2)


def test_the_ticks_outlive_a_fault(hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    store.add(A)
    viewer, wire = view(hub, A, 1)
    ticked = threading.Event()

    def fails_once(now: float) -> None:
        monkeypatch.undo()
        ticked.set()
        hub._delivery._tick_wanted.set()
        failing()

    monkeypatch.setattr(hub._delivery, "_tick", fails_once)
    hub.start()
    publish(hub, store, A)
    publish(hub, store, A)
    assert ticked.wait(60)

    wire.gets(2, 3)
    assert viewer.closed is None and hub.faults.count == 1


def test_a_room_that_fails_in_a_tick_keeps_no_other_from_it(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    streams = [f"task:{n}" for n in range(4)]
    wires = {}
    for stream in streams:
        store.add(stream)
        wires[stream] = view(hub, stream, 1)[1]
        publish(hub, store, stream)
        publish(hub, store, stream)  # waits for the tick
    flush, failed = hub._delivery._flush, list[str]()

    def the_first_fails(watched: WatchedRoom) -> None:
        if not failed:
            failed.append(watched.room.stream)
            failing()
        flush(watched)

    monkeypatch.setattr(hub._delivery, "_flush", the_first_fails)
    hub._delivery._tick(float("inf"))

    sent = {stream: wire.sequences for stream, wire in wires.items()}
    assert sent == {stream: [2] if stream in failed else [2, 3] for stream in streams}
    assert hub.faults.count == 1


def test_the_same_fault_is_logged_once_until_it_was_quiet(
    monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
):
    noted, error = Faults(), SystemError("as asked")

    for _ in range(5):
        noted.note("a timer failed", error)
    noted.note("a timer failed", ValueError("another"))
    monkeypatch.setattr(faults, "QUIET_SECONDS", -1.0)
    noted.note("a timer failed", error)

    assert noted.count == 7
    kinds = [record.exc_info[0] for record in logged.records if record.exc_info]
    assert kinds == [SystemError, ValueError, SystemError]
    for number in range(2 * faults.KEPT):
        noted.note(f"timer {number} failed", error)
    assert len(noted._last) == faults.KEPT
