"""Many rooms on one SSE connection, for browsers open six at most: the id of each message holds every room's cursor."""

from __future__ import annotations

import hashlib
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
from app.realtime.sse_registry import SseRegistry
from app.realtime.write_queue import WriteQueue
from app.stream.codec import Data
from app.stream.event import MAX_SEQUENCE, Event
from app.stream.hub import Hub
from app.stream.viewer import Viewer

MAX_ROOMS = 16
PLACE = re.compile(
    r"(task:[0-9a-fA-F-]{36}|user(?::[0-9a-fA-F-]{36})?|broadcast)(?:@(latest|[0-9]{1,19}))?\Z", re.ASCII
)


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
    """The format of one room on one connection, and of nobody else: its ids hold the cursors of that connection.

    So nothing that it made is ever sent again: a later id would go back to where the other rooms stood then.
    """

    shared = False

    def __init__(self, chunked: bool, connection: SharedSseConnection, index: int) -> None:
        super().__init__(chunked)
        self._connection, self._index = connection, index

    def frame(self, event: Event) -> bytes:
        text = f"id: {self._id(event.sequence)}\nevent: {event.type}\ndata: {event.payload}\n\n"
        return self._chunk(text.encode())

    def control(self, type: str, data: dict[str, Any], cursor: int | None = None) -> bytes:
        return self._chunk(message(type, data, None if cursor is None else self._id(cursor)))

    def _id(self, cursor: int) -> str:
        cursors = [cursor if n == self._index else v.cursor for n, v in enumerate(self._connection.viewers)]
        return ".".join([self._connection.hash, *map(str, cursors)])


class RoomWire:
    """What the hub writes one room to; ``progress_at`` and all else is the line's."""

    def __init__(self, connection: SharedSseConnection, codec: RoomCodec) -> None:
        self._connection, self.codec = connection, codec
        self.send, self.hold_remainder, self.send_remainder = (
            connection.send,
            connection.hold_remainder,
            connection.send_remainder,
        )
        self.call_when_writable, self.left = connection.call_when_writable, connection.left

    @property
    def unsent(self) -> int:
        return self._connection.unsent

    @property
    def progress_at(self) -> float:
        return self._connection.progress_at

    @progress_at.setter
    def progress_at(self, at: float) -> None:
        self._connection.progress_at = at


class SharedSseConnection:
    """The connection, as its viewers share it: nobody writes while a frame of another is half sent."""

    def __init__(
        self,
        registry: SseRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewers: Sequence[Viewer],
        principal: Principal,
    ) -> None:
        self.viewers, self.principal = viewers, principal
        self.streams = [viewer.room.stream for viewer in viewers]
        self.hash = _hash(self.streams)
        self.codec = codec  # of what concerns no room
        self._codecs = [self.room_codec(index) for index in range(len(viewers))]
        self.progress_at = self.opened_at = time.monotonic()
        self.slot = taken.fileno()
        self._registry, self._socket = registry, taken
        self._remainder, self._write_queue, self._open = b"", WriteQueue(), True
        registry.poller.watch(taken.fileno(), self._ready)

    def room_codec(self, index: int) -> RoomCodec:
        return RoomCodec(self.codec.chunked, self, index)

    def attach(self, hub: Hub) -> None:
        for viewer, codec in zip(self.viewers, self._codecs, strict=True):
            hub.attach(viewer, RoomWire(self, codec))

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def send(self, data: Data) -> int:
        return 0 if self._remainder else self._socket.send(data)  # type: ignore[arg-type]

    def hold_remainder(self, rest: Data) -> None:
        self._remainder = bytes(rest)

    def send_remainder(self) -> bool:
        if self._remainder:
            try:
                taken = self._socket.send(self._remainder)
            except BlockingIOError:
                return False
            self._remainder = self._remainder[taken:]
            self.progress_at = time.monotonic()
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self._write_queue.wait(viewer)
        self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)

    def left(self, viewer: Viewer, reason: str) -> None:
        """A room that ended leaves the others as they are; whatever else ends one viewer ends the connection."""
        self._write_queue.leave(viewer)
        if not self._open or (reason == "ended" and any(v.closed is None for v in self.viewers)):
            return
        self._open = False
        for other in self.viewers:
            other.close(reason)
        words = b"" if self._remainder else self.codec.farewell(reason, viewer.room.stream)
        self._registry.remove(self, self._socket, words)

    def close(self, reason: str) -> None:
        for viewer in self.viewers:
            viewer.close(reason)

    def keep_alive(self, hub: Hub, connections: int) -> None:
        """By a room that keeps up; where none does bytes are on their way anyway."""
        for viewer, codec in zip(self.viewers, self._codecs, strict=True):
            if viewer.cohort is not None:
                hub.say(viewer, partial(codec.quiet, viewer, connections=connections))
                return

    def send_comment(self, hub: Hub) -> None:
        viewer = next((v for v in self.viewers if v.cohort is not None), None)
        if viewer is not None:
            hub.say(viewer, lambda cursor: self.codec.keepalive)

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ and has_gone(self._socket):
            self.close("gone")
        elif mask & selectors.EVENT_WRITE:
            self._registry.poller.watch(self._socket.fileno(), self._ready)
            with suppress(OSError):  # the viewers find out by themselves
                self.send_remainder()
            self._write_queue.serve()
            if self._open and self._remainder and not self._write_queue:
                self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)
