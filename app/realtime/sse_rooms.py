"""Many rooms on one SSE connection, for browsers open six at most: the id of each message holds every room's cursor."""

from __future__ import annotations

import hashlib
import itertools
import re
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from app.auth.principal import Principal
from app.green import has_gone
from app.realtime.sse_codec import SseCodec, message
from app.realtime.sse_registry import SseWires
from app.realtime.turns import Turns
from app.stream.burst import Data
from app.stream.event import MAX_SEQUENCE, Event
from app.stream.hub import Hub
from app.stream.viewer import Viewer

MAX_ROOMS = 16
PLACE = re.compile(
    r"(task:[0-9a-fA-F-]{36}|user(?::[0-9a-fA-F-]{36})?|broadcast)(?:@(latest|[0-9]{1,19}))?\Z", re.ASCII
)
_numbers = itertools.count()


def places_in(text: str) -> list[tuple[str, int | None]]:
    """The rooms of ``task:<id>@<sequence>,user@latest,broadcast``, each with the cursor to begin at; None is live only.
    Where none is named a task begins at its first event, another room live. Raises ValueError."""
    places = [PLACE.match(name) for name in text.split(",")]
    if len(places) > MAX_ROOMS or None in places:
        raise ValueError(f"Not a list of up to {MAX_ROOMS} rooms.")
    found = [(room, _begin(room, at)) for room, at in (place.groups() for place in places if place)]
    if any(cursor is not None and cursor > MAX_SEQUENCE for _, cursor in found):
        raise ValueError("Not a sequence behind @, nor latest.")
    return found


def _begin(room: str, at: str | None) -> int | None:
    if at is None:
        return 0 if room.startswith("task:") else None
    return None if at == "latest" else int(at)


def composite(streams: Sequence[str], cursors: Sequence[int]) -> str:
    """``<hash of the rooms>.<cursor>.<cursor>…``, in the order of the sorted rooms."""
    return ".".join([_hash(streams), *map(str, cursors)])


def cursors_of(id: str, streams: Sequence[str]) -> list[int] | None:
    """The cursors in a composite id; None when it is none, or one of other rooms."""
    of, *parts = id.split(".")
    if of != _hash(streams) or len(parts) != len(streams):
        return None
    if not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts):
        return None
    cursors = [int(part) for part in parts]
    return cursors if max(cursors) <= MAX_SEQUENCE else None


def _hash(streams: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(streams).encode()).hexdigest()[:16]


class RoomCodec(SseCodec):
    """One room's messages on such a connection.

    Equal to another only while the other rooms stand where they stood: what was joined for one of the two may then be
    sent again, and an id never goes back.
    """

    shared = False  # with nobody: its ids are one connection's own

    def __init__(self, chunked: bool, line: Line, index: int) -> None:
        super().__init__(chunked)
        self._line, self._index = line, index
        self._key = (line.number, index, *(v.cursor for v in line.viewers if v is not line.viewers[index]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RoomCodec) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def frame(self, event: Event) -> bytes:
        text = f"id: {self._at(event.sequence)}\nevent: {event.type}\ndata: {event.payload}\n\n"
        return self._chunk(text.encode())

    def control(self, type: str, data: dict[str, Any], cursor: int | None = None) -> bytes:
        return self._chunk(message(type, data, None if cursor is None else self._at(cursor)))

    def _at(self, cursor: int) -> str:
        viewers = self._line.viewers
        cursors = [cursor if n == self._index else v.cursor for n, v in enumerate(viewers)]
        return ".".join([self._line.hash, *map(str, cursors)])


class RoomWire:
    """What the hub writes one room to; ``progress_at`` and all else is the line's."""

    def __init__(self, line: Line, index: int) -> None:
        self._line, self._index = line, index
        self.send, self.owe, self.settle = line.send, line.owe, line.settle
        self.await_room, self.left = line.await_room, line.left

    @property
    def codec(self) -> RoomCodec:
        return self._line.codec(self._index)

    @property
    def owed(self) -> int:
        return self._line.owed

    @property
    def progress_at(self) -> float:
        return self._line.progress_at

    @progress_at.setter
    def progress_at(self, at: float) -> None:
        self._line.progress_at = at


class Line:
    """The connection, as its viewers share it: nobody writes while a frame of another is half sent."""

    def __init__(
        self,
        wires: SseWires,
        taken: socket.socket,
        plain: SseCodec,
        viewers: Sequence[Viewer],
        principal: Principal,
    ) -> None:
        self.number = next(_numbers)  # an address would be given to another line when this one is gone
        self.viewers, self.principal = viewers, principal
        self.streams = [viewer.room.stream for viewer in viewers]
        self.hash = _hash(self.streams)
        self.chunked = plain.closing != b""
        self.turns, self.counts, self.breathes = plain.turns, plain.counts, plain.breathes
        self.progress_at = self.opened_at = time.monotonic()
        self.slot = taken.fileno()
        self._wires, self._socket, self._plain = wires, taken, plain
        self._debt, self._turns, self._open = b"", Turns(), True
        wires.poller.watch(taken.fileno(), self._ready)

    def codec(self, index: int) -> RoomCodec:
        return RoomCodec(self.chunked, self, index)

    def attach(self, hub: Hub) -> None:
        for index, viewer in enumerate(self.viewers):
            hub.attach(viewer, RoomWire(self, index))

    @property
    def owed(self) -> int:
        return len(self._debt)

    def send(self, data: Data) -> int:
        return 0 if self._debt else self._socket.send(data)  # type: ignore[arg-type]

    def owe(self, rest: Data) -> None:
        self._debt = bytes(rest)

    def settle(self) -> bool:
        if self._debt:
            try:
                taken = self._socket.send(self._debt)
            except BlockingIOError:
                return False
            self._debt = self._debt[taken:]
            self.progress_at = time.monotonic()
        return not self._debt

    def await_room(self, viewer: Viewer) -> None:
        self._turns.wait(viewer)
        self._wires.poller.watch(self._socket.fileno(), self._ready, write=True)

    def left(self, viewer: Viewer, reason: str) -> None:
        """A room that ended leaves the others as they are; whatever else ends one viewer ends the connection."""
        self._turns.leave(viewer)
        if not self._open or (reason == "ended" and any(v.closed is None for v in self.viewers)):
            return
        self._open = False
        for other in self.viewers:
            other.close(reason)
        words = b"" if self._debt else self._plain.farewell(reason, viewer.room.stream)
        self._wires.remove(self, self._socket, words)

    def close(self, reason: str) -> None:
        for viewer in self.viewers:
            viewer.close(reason)

    def keep_alive(self, hub: Hub, connections: int) -> None:
        """By a room that keeps up; where none does bytes are on their way anyway."""
        for index, viewer in enumerate(self.viewers):
            if viewer.lane is not None:
                hub.say(viewer, partial(self.codec(index).quiet, viewer, connections=connections))
                return

    def breathe(self, hub: Hub) -> None:
        viewer = next((v for v in self.viewers if v.lane is not None), None)
        if viewer is not None:
            hub.say(viewer, lambda cursor: self._plain.keepalive)

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ and has_gone(self._socket):
            self.close("gone")
        elif mask & selectors.EVENT_WRITE:
            self._wires.poller.watch(self._socket.fileno(), self._ready)
            with suppress(OSError):  # the viewers find out by themselves
                self.settle()
            self._turns.serve()
            if self._open and self._debt and not self._turns:
                self._wires.poller.watch(self._socket.fileno(), self._ready, write=True)
