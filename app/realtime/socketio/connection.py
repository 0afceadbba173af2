"""One Socket.IO connection as the hub writes to it: shared frames straight onto its WebSocket where that is
possible, the library's own queue where not."""

from __future__ import annotations

import contextlib
import logging
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from app.realtime.socketio import engineio_adapter
from app.realtime.socketio.engine import Engine
from app.realtime.sse_codec import ending
from app.realtime.turns import Turns
from app.stream.burst import Codec, Data
from app.stream.event import Event
from app.stream.resync import Resync
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.sockets")

# The Python client refuses an answer of more than 16; a ping or an answer may be among them.
POLLING_PACKETS = 12
QUEUED_PACKETS = 256


class Packets:
    """Socket.IO packets (protocol 5, type 2: event, namespace /) for the library's own queue."""

    shared, whole = True, False

    def frame(self, event: Event) -> list[str]:
        return [f'2["{event.type}",{event.payload}]']

    def join(self, frames: Sequence[Any]) -> list[str]:
        return [packet for frame in frames for packet in frame]

    def resync(self, resync: Resync) -> list[str]:
        return [packet("resync", resync.message())]

    def end(self, stream: str, last: Event | None, cursor: int) -> list[str]:
        return [packet("end", ending(stream, last))]


class Frames:
    """The same packets inside Engine.IO messages (type 4) inside unmasked WebSocket text frames, RFC 6455."""

    shared, whole = True, False

    def frame(self, event: Event) -> Data:
        return text_frame(f'42["{event.type}",{event.payload}]')

    def join(self, frames: Sequence[Any]) -> bytes:
        return b"".join(frames)

    def resync(self, resync: Resync) -> bytes:
        return text_frame("4" + packet("resync", resync.message()))

    def end(self, stream: str, last: Event | None, cursor: int) -> bytes:
        return text_frame("4" + packet("end", ending(stream, last)))


class PacketBatches(Packets):
    """A packet for each burst, ``events`` with a list of [type, payload], for clients that ask for it: a browser runs
    a task for each message, and there may be a thousand a second."""

    whole = True

    def frame(self, event: Event) -> list[str]:
        return [_entry(event)]

    def join(self, frames: Sequence[Any]) -> list[str]:
        return [_batch([entry for frame in frames for entry in frame])] if frames else []


class FrameBatches(Frames):
    """The same packets inside frames."""

    whole = True

    def frame(self, event: Event) -> Data:
        return _entry(event)

    def join(self, frames: Sequence[Any]) -> bytes:
        return text_frame("4" + _batch(frames)) if frames else b""


PACKETS, FRAMES = Packets(), Frames()
PACKET_BATCHES, FRAME_BATCHES = PacketBatches(), FrameBatches()


def _entry(event: Event) -> str:
    return f'["{event.type}",{event.payload}]'


def _batch(entries: Sequence[str]) -> str:
    return f'2["events",[{",".join(entries)}]]'


def packet(type: str, data: dict[str, Any]) -> str:
    return f'2["{type}",{orjson.dumps(data).decode()}]'


def text_frame(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    if size < 126:
        return b"\x81%c%b" % (size, data)
    return (
        struct.pack("!BBH", 0x81, 126, size) if size < 65_536 else struct.pack("!BBQ", 0x81, 127, size)
    ) + data


class SocketWire:
    """Shared by the viewers of all rooms that this socket joined. ``batch``: it takes a burst in one message."""

    def __init__(self, engine: Engine, sid: str, left: Callable[[Viewer], None], batch: bool = False) -> None:
        self._engine, self._left = engine, left
        self._codecs = (FRAME_BATCHES, PACKET_BATCHES) if batch else (FRAMES, PACKETS)
        self.progress_at = 0.0
        self._session = engine.eio.sockets[sid]
        self.send: Callable[[Data], int] = self._offer
        self._ws: Any = None
        self._may = engine.known  # be written to directly
        self._write: Callable[[bytes], int] | None = None
        self._debt: Any = b""
        self._locked = False  # the frame owed is begun: the library must not write in the middle of it
        self.in_the_way = False  # the library is, so that the poller would tell too early
        self._turns = Turns()

    @property
    def codec(self) -> Codec:
        frames, packets = self._codecs
        return frames if self._direct() else packets

    @property
    def session_id(self) -> str:
        return str(self._session.sid)

    @property
    def gone(self) -> bool:
        return bool(self._session.closed or self._session.closing)

    @property
    def owed(self) -> int:
        return len(self._debt)

    def _offer(self, data: Data) -> int:
        if self._session.closed:
            raise ConnectionError
        self.in_the_way = True
        if self._debt or self._direct():  # upgraded meanwhile: from here on by frames
            return 0
        return self._queue(data)

    def owe(self, rest: Data) -> None:
        self._debt = rest
        if isinstance(rest, bytes):
            self._locked = engineio_adapter.lock(self._ws)

    def settle(self) -> bool:
        if self._debt:
            if self._session.closed:
                raise ConnectionError
            try:
                direct = isinstance(self._debt, bytes)
                taken = self._write(self._debt) if direct else self._queue(self._debt)  # type: ignore[misc]
            except BlockingIOError:
                self.in_the_way = False
                return False
            self._debt = self._debt[taken:]
            if taken:
                self.progress_at = time.monotonic()  # also when no viewer asked for it: see ready
            if not self._debt:
                self._unlock()
        return not self._debt

    def await_room(self, viewer: Viewer) -> None:
        self._turns.wait(viewer)
        self._await_room()

    def ready(self) -> None:
        """It takes more, or the library may be out of the way."""
        with contextlib.suppress(OSError):  # the viewers find out by themselves
            self.settle()  # also when the viewer whose frame was begun has left: the library waits for its end
        self._turns.serve()
        if self._debt and not self._turns:
            self._await_room()

    def left(self, viewer: Viewer, reason: str) -> None:
        self._turns.leave(viewer)
        self._left(viewer)
        if reason in ("stalled", "gone"):
            self.cut()
        elif reason in ("draining", "unavailable"):
            # Only the transport: clients come back from that by themselves, from a disconnect never.
            self._engine.send_away(self._session)

    def control(self, type: str, data: dict[str, Any]) -> None:
        """By the library's queue: what is written directly waits until that is empty."""
        self._engine.eio.send(self._session.sid, packet(type, data))

    def cut(self) -> None:
        """At once, whatever is still to be sent: this client takes nothing."""
        self._shut()
        self.close()
        if self._ws is None:
            self._engine.send_away(self._session)

    def close(self) -> None:
        """Writes no more, and leaves the socket to the library, but not in the middle of a frame."""
        if self._locked:
            self._shut()
        self._debt = b""
        self._unlock()

    def _shut(self) -> None:
        if self._ws is not None:
            engineio_adapter.shut(self._ws)

    def _await_room(self) -> None:
        fd = -1 if self._ws is None else engineio_adapter.descriptor(self._ws)
        if self.in_the_way or self._engine.poller is None or fd < 0:
            self._engine.retry(self.ready)
        else:
            self._engine.poller.watch(fd, self._writable, read=False, write=True)

    def _unlock(self) -> None:
        if self._locked:
            self._locked = False
            engineio_adapter.unlock(self._ws)

    def _direct(self) -> bool:
        """Once it is, it stays so: what was begun in frames goes on in them, whatever befalls another socket."""
        if self._ws is None and self._may and self._session.upgraded and not self._session.upgrading:
            ws = self._engine.websocket(self._session.sid)
            if ws is not None:
                try:
                    found = engineio_adapter.writer(ws, self._session, self)
                except (AttributeError, TypeError) as error:
                    self._engine.unknown(error)
                    found = None
                self._may = found is not None
                if found is not None:
                    self._write, self.send = found
                    self._ws = ws
        return self._ws is not None

    def _queue(self, packets: Sequence[str]) -> int:
        """Through the library, so many at a time that its queue, which has no bound, stays short."""
        session = self._session
        self.in_the_way = True
        if engineio_adapter.waiting(session):
            return 0
        taken = packets[: QUEUED_PACKETS if session.upgraded else POLLING_PACKETS]
        for one in taken:
            self._engine.eio.send(session.sid, one)
        return len(taken)

    def _writable(self, mask: int) -> None:
        assert self._engine.poller is not None
        self._engine.poller.forget(engineio_adapter.descriptor(self._ws))
        self.ready()
