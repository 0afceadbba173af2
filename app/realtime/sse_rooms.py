"""Many rooms on one SSE connection, for browsers open six at most. Each message's id holds the cursors of all rooms."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from app.auth.principal import Principal
from app.realtime.sse_codec import SseCodec, message
from app.realtime.sse_connection import ConnectionRegistry, SseConnection
from app.realtime.sse_cursors import hash_of
from app.realtime.write_queue import WriteQueue
from app.stream.codec import Data
from app.stream.event import Event
from app.stream.hub import Hub
from app.stream.viewer import Viewer


class RoomCodec(SseCodec):
    """The format of one room on one connection alone: the ids hold the cursors of that connection."""

    shared = False  # a batch that is sent again would take the ids back to where the other rooms were

    def __init__(self, connection: ManyRoomsConnection, index: int) -> None:
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

    def __init__(self, connection: ManyRoomsConnection, codec: RoomCodec) -> None:
        self._connection, self.codec = connection, codec
        self.send, self.send_remainder = connection.send, connection.send_remainder
        self.hold_remainder, self.on_closed = connection.hold_remainder, connection.on_closed
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


class ManyRoomsConnection(SseConnection):
    """A connection that several viewers share: none writes while another's frame is partly sent."""

    def __init__(
        self,
        registry: ConnectionRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewers: Sequence[Viewer],
        principal: Principal,
        room_codec: Callable[[ManyRoomsConnection, int], RoomCodec] = RoomCodec,
    ) -> None:
        super().__init__(registry, taken, codec, principal)
        self.viewers, self.hash = viewers, hash_of([viewer.room.stream for viewer in viewers])
        self._codecs = [room_codec(self, index) for index in range(len(viewers))]
        self._write_queue, self._open = WriteQueue(), True

    def attach(self, hub: Hub) -> None:
        for viewer, codec in zip(self.viewers, self._codecs, strict=True):
            hub.attach(viewer, RoomWire(self, codec))

    def send(self, data: Data) -> int:
        return 0 if self._remainder else self._socket.send(data)  # type: ignore[arg-type]

    def call_when_writable(self, viewer: Viewer) -> None:
        self._write_queue.wait(viewer)
        super().call_when_writable(viewer)

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        """A room that ended leaves the others as they are; any other reason ends the whole connection."""
        self._write_queue.discard(viewer)
        if not self._open or (reason == "ended" and any(v.closed is None for v in self.viewers)):
            return
        self._open = False
        for other in self.viewers:
            other.close(reason)
        self._end(viewer, reason)
        # What the rooms have of the connection, and it of them, would be left to the garbage collector.
        self.viewers, self._codecs = (), []

    def _writable(self) -> None:
        with suppress(OSError):  # the viewers notice it by themselves
            self.send_remainder()
        self._write_queue.serve()
        if self._open and self._remainder and not self._write_queue:
            self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)
