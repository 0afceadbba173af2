"""Many rooms on one SSE connection, for browsers open six at most. Each message's id holds the cursors of all rooms."""

from __future__ import annotations

import hashlib
import re
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from app.auth.principal import Principal
from app.green import has_gone
from app.realtime.sse_codec import SseCodec, message
from app.realtime.sse_registry import Connection, SseRegistry
from app.realtime.write_queue import WriteQueue
from app.stream.codec import Data
from app.stream.event import MAX_SEQUENCE, Event
from app.stream.hub import Hub
from app.stream.viewer import Viewer

MAX_ROOMS = 16
ROOM = re.compile(
    r"(task:[0-9a-fA-F-]{36}|user(?::[0-9a-fA-F-]{36})?|broadcast)(?:@(latest|[0-9]{1,19}))?\Z", re.ASCII
)


def parse_rooms(text: str) -> list[tuple[str, int | None]]:
    """Parses ``task:<id>@<sequence>,user@latest,broadcast``: the rooms, each with the cursor to begin at; None is live
    only. Without a cursor a task begins at its first event, other rooms are live. Raises ValueError."""
    matches = [ROOM.match(name) for name in text.split(",")]
    if len(matches) > MAX_ROOMS or None in matches:
        raise ValueError(f"Not a list of up to {MAX_ROOMS} rooms.")
    found = [(room, _begin(room, at)) for room, at in (match.groups() for match in matches if match)]
    if any(cursor is not None and cursor > MAX_SEQUENCE for _, cursor in found):
        raise ValueError("Not a sequence behind @, nor latest.")
    return found


def _begin(room: str, at: str | None) -> int | None:
    if at is None:
        return 0 if room.startswith("task:") else None
    return None if at == "latest" else int(at)


def composite(streams: Sequence[str], cursors: Sequence[int]) -> str:
    """Returns ``<hash of the rooms>.<cursor>.<cursor>…``, in the order of the sorted rooms."""
    return ".".join([_hash(streams), *map(str, cursors)])


def cursors_of(id: str, streams: Sequence[str]) -> list[int] | None:
    """Returns the cursors of a composite id; None when it is none, or one of other rooms."""
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
    """The format of one room on one connection alone: the ids hold the cursors of that connection."""

    shared = (
        False  # a batch that was sent again later would take the ids back to where the other rooms were then
    )

    def __init__(self, connection: SharedSseConnection, index: int) -> None:
        super().__init__(connection.codec.chunked)
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
    """The wire of one room; all but the codec is the connection's."""

    def __init__(self, connection: SharedSseConnection, codec: RoomCodec) -> None:
        self._connection, self.codec = connection, codec
        self.send, self.send_remainder = connection.send, connection.send_remainder
        self.hold_remainder, self.left = connection.hold_remainder, connection.left
        self.call_when_writable = connection.call_when_writable

    @property
    def unsent(self) -> int:
        return self._connection.unsent

    @property
    def progress_at(self) -> float:
        return self._connection.progress_at

    @progress_at.setter
    def progress_at(self, at: float) -> None:
        self._connection.progress_at = at


class SharedSseConnection(Connection):
    """An SSE connection that several viewers share: none writes while another's frame is partly sent."""

    def __init__(
        self,
        registry: SseRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewers: Sequence[Viewer],
        principal: Principal,
        room_codec: Callable[[SharedSseConnection, int], RoomCodec] = RoomCodec,
    ) -> None:
        super().__init__(registry, taken, codec, principal)
        self.viewers, self.hash = viewers, _hash([viewer.room.stream for viewer in viewers])
        self._codecs = [room_codec(self, index) for index in range(len(viewers))]
        self._write_queue, self._open = WriteQueue(), True

    def attach(self, hub: Hub) -> None:
        for viewer, codec in zip(self.viewers, self._codecs, strict=True):
            hub.attach(viewer, RoomWire(self, codec))

    def send(self, data: Data) -> int:
        return 0 if self._remainder else self._socket.send(data)  # type: ignore[arg-type]

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
        """A room that ended leaves the others as they are; any other reason ends the whole connection."""
        self._write_queue.leave(viewer)
        if not self._open or (reason == "ended" and any(v.closed is None for v in self.viewers)):
            return
        self._open = False
        for other in self.viewers:
            other.close(reason)
        self._end(viewer, reason)

    def close(self, reason: str) -> None:
        for viewer in self.viewers:
            viewer.close(reason)

    def keep_alive(self, hub: Hub, connections: int) -> None:
        """Sends the keep-alive of a room that keeps up; where none does, bytes are on their way anyway."""
        for viewer, codec in zip(self.viewers, self._codecs, strict=True):
            if viewer.cohort is not None:
                hub.send_control(viewer, partial(codec.quiet, viewer, connections=connections))
                return

    def send_comment(self, hub: Hub) -> None:
        viewer = next((v for v in self.viewers if v.cohort is not None), None)
        if viewer is not None:
            hub.send_control(viewer, lambda cursor: self.codec.keepalive)

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ and has_gone(self._socket):
            self.close("gone")
        elif mask & selectors.EVENT_WRITE:
            self._registry.poller.watch(self._socket.fileno(), self._ready)
            with suppress(OSError):  # the viewers notice it by themselves
                self.send_remainder()
            self._write_queue.serve()
            if self._open and self._remainder and not self._write_queue:
                self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)
