"""Wires in memory: each takes as much as the test lets it, and what it took is parsed back."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from typing import Any

from app.stream.codec import Codec, Data, Filter
from app.stream.event import Event
from app.stream.hub import Hub
from app.stream.initial_state import InitialState
from app.stream.resync import Resync
from app.stream.viewer import Viewer

EVERYTHING = 1_000_000_000


class Lines:
    """A line of bytes for each message: one that is written into another cannot be parsed."""

    shared, one_frame = True, False

    def frame(self, event: Event) -> bytes:
        return f"event {event.sequence} {event.payload}\n".encode()

    def join(self, frames: Sequence[Any]) -> bytes:
        return b"".join(frames)

    def resync(self, resync: Resync) -> bytes:
        return f"resync {resync.cursor} {json.dumps(resync.message())}\n".encode()

    def end(self, stream: str, last: Event | None, cursor: int) -> bytes:
        return f"end {cursor} {json.dumps(last and last.sequence)}\n".encode()

    def words(self, text: str) -> bytes:
        return f"words 0 {json.dumps(text)}\n".encode()


class Parcels(Lines):
    """The same messages as the packets of a list."""

    def frame(self, event: Event) -> list[str]:  # type: ignore[override]
        return [super().frame(event).decode()]

    def join(self, frames: Sequence[Any]) -> list[str]:  # type: ignore[override]
        return [parcel for frame in frames for parcel in frame]

    def resync(self, resync: Resync) -> list[str]:  # type: ignore[override]
        return [super().resync(resync).decode()]

    def end(self, stream: str, last: Event | None, cursor: int) -> list[str]:  # type: ignore[override]
        return [super().end(stream, last, cursor).decode()]


class Batches(Lines):
    """The same lines, those of a batch as one frame."""

    one_frame = True


LINES, PARCELS, BATCHES = Lines(), Parcels(), Batches()


class FakeWire:
    """``capacity`` is how many bytes (or packets) it takes until it is drained.

    ``refuses`` says how it takes nothing: BlockingIOError as a socket, or 0 as a library's queue.
    A ``raw`` one writes as a socket does, also while a remainder is unsent.
    """

    def __init__(
        self, codec: Codec = LINES, capacity: int = EVERYTHING, refuses: bool = True, raw: bool = False
    ) -> None:
        self.codec, self.capacity, self._refuses, self._raw = codec, capacity, refuses, raw
        self.offered: list[Data] = []
        self.lefts: list[str] = []
        self.waiting: dict[Viewer, None] = {}  # in order
        self.gone = False
        self.progress_at = 0.0
        self._empty: Any = b"" if codec.join([]) == b"" else []
        self._taken = self._remainder = self._empty

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def send(self, data: Data) -> int:
        self.offered.append(data)
        return self._take(data) if self._raw or not self._remainder else self._refuse()

    def hold_remainder(self, rest: Data) -> None:
        assert rest and not self._remainder, "there is a frame already that was begun"
        self._remainder = rest

    def send_remainder(self) -> bool:
        if self._remainder:
            try:
                self._remainder = self._remainder[self._take(self._remainder) :]
            except BlockingIOError:
                return False
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self.waiting[viewer] = None

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        self.waiting.pop(viewer, None)
        self.lefts.append(reason)

    def drain(self, capacity: int = EVERYTHING) -> None:
        """The connection takes so much more, and tells those who wait."""
        self.capacity = capacity
        waiting, self.waiting = list(self.waiting), {}
        for viewer in waiting:
            viewer.ready()
        if self._remainder and not waiting:  # of one that has left
            with contextlib.suppress(ConnectionError):
                self.send_remainder()

    @property
    def whole(self) -> list[tuple[str, int, Any]]:
        """What was taken: each message's kind, sequence or cursor, and content. AssertionError for a torn one."""
        messages = self._text().split("\n")[:-1]
        try:
            parts = [message.split(" ", 2) for message in messages]
            return [(kind, int(number), json.loads(content)) for kind, number, content in parts]
        except ValueError as error:
            raise AssertionError(f"a message was torn: {messages}") from error

    @property
    def torn(self) -> str:
        """What it has of a message that is not whole yet."""
        return self._text().rpartition("\n")[2]

    @property
    def sequences(self) -> list[int]:
        return [number for kind, number, _ in self.whole if kind == "event"]

    @property
    def controls(self) -> list[tuple[str, Any]]:
        return [(kind, content) for kind, _, content in self.whole if kind != "event"]

    def gets(self, *sequences: int, seconds: float = 60.0) -> None:
        """Waits until it has got these and no others, in this order."""
        limit = time.monotonic() + seconds
        while self.sequences != list(sequences) and time.monotonic() < limit:
            time.sleep(0.002)
        assert self.sequences == list(sequences), f"it got {self.whole}"

    def _text(self) -> str:
        return "".join(self._taken) if isinstance(self._taken, list) else self._taken.decode()

    def _take(self, data: Data) -> int:
        if self.gone:
            raise ConnectionResetError
        taken = min(len(data), self.capacity)
        if not taken:
            return self._refuse()
        self.capacity -= taken
        self._taken = self._taken + data[:taken]
        return taken

    def _refuse(self) -> int:
        if self._refuses:
            raise BlockingIOError
        return 0


def view(
    hub: Hub,
    stream: str,
    cursor: int | None,
    wire: FakeWire | None = None,
    filter: Filter = Filter(),
    first: Sequence[Event] = (),
) -> tuple[Viewer, FakeWire]:
    """A viewer on a wire of its own, or on this one, that has begun to get what is after the cursor."""
    viewer, wire = hub.watch(stream, cursor, filter), wire or FakeWire()
    if first:
        hub.states.keep(stream, list(first), viewer.own_cursor)
        viewer.initial = InitialState(viewer.own_cursor, filter)
    hub.attach(viewer, wire)
    return viewer, wire


def tick(hub: Hub) -> None:
    """What the ticks' thread does once in a while, for a hub that was not started."""
    finish(hub)
    with hub._lock:
        busy, hub._delivery._busy = hub._delivery._busy, set()
        for watched in busy:
            hub._delivery._flush(watched)
    finish(hub)


def finish(hub: Hub) -> None:
    """Brings all flushes to their ends."""
    while go_on(hub):
        continue


def go_on(hub: Hub) -> bool:
    """Gives one unfinished flush its turn; False when there is none."""
    watched = hub._delivery._next_unfinished()
    if watched is not None:
        with hub._lock:
            hub._delivery._go_on(watched)
    return watched is not None
