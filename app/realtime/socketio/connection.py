"""One Socket.IO connection as the hub writes to it: frames straight onto its WebSocket where that is possible, else
packets through the library's own queue."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.realtime.socketio import engineio_adapter
from app.realtime.socketio.codec import FRAME_BATCHES, FRAMES, PACKET_BATCHES, PACKETS, packet
from app.realtime.socketio.engine import Engine
from app.realtime.write_queue import WriteQueue
from app.stream.codec import Codec, Data
from app.stream.viewer import Viewer

# The Python client refuses an answer of more than 16; a ping or an answer may be among them.
POLLING_PACKETS = 12
QUEUED_PACKETS = 256


class QueuedWriter:
    """Through the library, so many packets at a time that its queue, which has no bound, stays short."""

    def __init__(self, engine: Engine, session: Any) -> None:
        self._engine, self._session = engine, session

    def write(self, data: Sequence[str]) -> int:
        """How many of the packets were taken."""
        session = self._session
        if engineio_adapter.waiting(session):
            return 0
        taken = data[: QUEUED_PACKETS if session.upgraded else POLLING_PACKETS]
        for one in taken:
            self._engine.eio.send(session.sid, one)
        return len(taken)

    def hold(self) -> None: ...  # a packet is queued as a whole

    def release(self) -> None: ...

    def shut(self) -> bool:
        """Ends the connection at once; False when only the library can."""
        return False

    def descriptor(self) -> int:
        """Of the socket that becomes writable when it takes more; -1 where none tells."""
        return -1


class DirectWriter:
    """Onto the WebSocket, past the library, whose send lock it holds while a frame is partly sent."""

    def __init__(self, ws: Any, write: Callable[[Any], int]) -> None:
        self._ws, self.write = ws, write
        self._holds = False

    def hold(self) -> None:
        """Keeps the library from writing in the middle of a frame."""
        self._holds = engineio_adapter.lock(self._ws)

    def release(self) -> None:
        if self._holds:
            self._holds = False
            engineio_adapter.unlock(self._ws)

    def shut(self) -> bool:
        engineio_adapter.shut(self._ws)
        return True

    def descriptor(self) -> int:
        return engineio_adapter.descriptor(self._ws)


class SocketWire:
    """Shared by the viewers of all rooms that this socket joined. ``batch``: it takes a burst in one message.

    It begins with the library's queue, and changes once, by ``try_upgrade``, to frames: what was begun in frames goes
    on in them, whatever befalls another socket.
    """

    def __init__(self, engine: Engine, sid: str, left: Callable[[Viewer], None], batch: bool = False) -> None:
        self._engine, self._left = engine, left
        self._session = engine.eio.sockets[sid]
        self._frames, packets = (FRAME_BATCHES, PACKET_BATCHES) if batch else (FRAMES, PACKETS)
        self.codec: Codec = packets
        self.send: Callable[[Data], int] = self._send_queued
        self._writer: QueuedWriter | DirectWriter = QueuedWriter(engine, self._session)
        self._may_upgrade = engine.known
        self.progress_at = 0.0
        self._remainder: Any = b""
        self.writer_busy = True  # the library is, so that the poller would tell too early
        self._write_queue = WriteQueue()

    @property
    def session_id(self) -> str:
        return str(self._session.sid)

    @property
    def gone(self) -> bool:
        return bool(self._session.closed or self._session.closing)

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def try_upgrade(self) -> bool:
        """Changes to frames if the client has a WebSocket that can be written to directly; True when it just did."""
        session = self._session
        if not self._may_upgrade or self._remainder or not session.upgraded or session.upgrading:
            return False
        ws = self._engine.websocket(session.sid)
        if ws is None:
            return False
        self._may_upgrade = False
        try:
            found = engineio_adapter.writer(ws, session, self)
        except (AttributeError, TypeError) as error:
            self._engine.unknown(error)
            return False
        if found is None:
            return False
        write, self.send = found
        self.codec, self._writer = self._frames, DirectWriter(ws, write)
        return True

    def hold_remainder(self, rest: Data) -> None:
        self._remainder = rest
        self._writer.hold()

    def send_remainder(self) -> bool:
        if self._remainder:
            if self._session.closed:
                raise ConnectionError
            try:
                taken = self._writer.write(self._remainder)
            except BlockingIOError:
                self.writer_busy = False
                return False
            self._remainder = self._remainder[taken:]
            if taken:
                self.progress_at = time.monotonic()  # also when no viewer asked for it: see ready
            if not self._remainder:
                self._writer.release()
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self._write_queue.wait(viewer)
        self._call_when_writable()

    def ready(self) -> None:
        """It takes more, or the library may be out of the way."""
        with contextlib.suppress(OSError):  # the viewers find out by themselves
            self.send_remainder()  # also when the viewer whose frame was begun has left: the library waits for its end
        self.try_upgrade()
        self._write_queue.serve()
        if self._remainder and not self._write_queue:
            self._call_when_writable()

    def left(self, viewer: Viewer, reason: str) -> None:
        self._write_queue.leave(viewer)
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
        shut = self._writer.shut()
        self.close()
        if not shut:
            self._engine.send_away(self._session)

    def close(self) -> None:
        """Writes no more, and leaves the socket to the library, but not in the middle of a frame."""
        if self._remainder:
            self._writer.shut()
        self._remainder = b""
        self._writer.release()

    def _send_queued(self, data: Data) -> int:
        if self._session.closed:
            raise ConnectionError
        if self._remainder or self.try_upgrade():  # from here on by frames, for which its viewers come back
            return 0
        return self._writer.write(data)

    def _call_when_writable(self) -> None:
        fd = self._writer.descriptor()
        if self.writer_busy or self._engine.poller is None or fd < 0:
            self._engine.retry(self.ready)
        else:
            self._engine.poller.watch(fd, self._writable, read=False, write=True)

    def _writable(self, mask: int) -> None:
        assert self._engine.poller is not None
        self._engine.poller.forget(self._writer.descriptor())
        self.ready()
