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

# The Python client refuses an answer of more than 16 packets; a ping or an acknowledgement may be among them.
POLLING_PACKETS = 12
QUEUED_PACKETS = 256


class QueuedWriter:
    """Through the library, so many packets at a time that its queue, which has no bound, stays short."""

    __slots__ = ("_engine", "_session")

    def __init__(self, engine: Engine, session: Any) -> None:
        self._engine, self._session = engine, session

    def write(self, data: Sequence[str]) -> int:
        """Returns how many of the packets were taken."""
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
        """Of the socket that becomes writable when it takes more; -1 where there is none."""
        return -1


class DirectWriter:
    """Onto the WebSocket, past the library, whose send lock it holds while a frame is partly sent."""

    __slots__ = ("_holds", "_ws", "write")

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
    """Shared by the viewers of all rooms that the socket joined. ``batch``: the client takes a batch in one message.

    ``forget`` is called for each viewer that was closed.

    The wire begins with the library's queue and changes to frames once, by ``try_upgrade``; it never changes back.
    """

    def __init__(
        self, engine: Engine, sid: str, forget: Callable[[Viewer], None], batch: bool = False
    ) -> None:
        self._engine, self._forget = engine, forget
        self._session = engine.eio.sockets[sid]
        self._frames, packets = (FRAME_BATCHES, PACKET_BATCHES) if batch else (FRAMES, PACKETS)
        self.codec: Codec = packets
        self.send: Callable[[Data], int] = self._send_queued
        self._writer: QueuedWriter | DirectWriter = QueuedWriter(engine, self._session)
        self._may_upgrade = engine.direct
        self.progress_at = 0.0
        self._remainder: Any = b""
        self.writer_busy = True  # Engine.IO's: the poller would call too early, so the engine tries again
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
        """Changes to frames if the client's WebSocket can be written to directly; True when it changed now."""
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
            self._engine.not_direct(error)
            return False
        if found is None:
            return False
        write, self.send = found
        self.codec, self._writer = self._frames, DirectWriter(ws, write)
        return True

    def hold_remainder(self, remainder: Data) -> None:
        self._remainder = remainder
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
                self.progress_at = time.monotonic()  # here, for ready() sends without a viewer
            if not self._remainder:
                self._writer.release()
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self._write_queue.wait(viewer)
        self._call_when_writable()

    def ready(self) -> None:
        """The connection takes more, or Engine.IO's writer may be idle."""
        with contextlib.suppress(OSError):  # the viewers notice it by themselves
            self.send_remainder()  # also when its viewer has left: the library waits for the frame's end
        self.try_upgrade()
        self._write_queue.serve()
        if self._remainder and not self._write_queue:
            self._call_when_writable()

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        self._write_queue.discard(viewer)
        self._forget(viewer)
        if reason in ("stalled", "gone"):
            self.disconnect()
        elif reason in ("draining", "unavailable"):
            # Only the transport: after that clients come back by themselves, after a disconnect they do not.
            self._engine.close_transport(self._session)

    def control(self, type: str, data: dict[str, Any]) -> None:
        """Sends by the library's queue; direct writes wait until that is empty."""
        self._engine.eio.send(self._session.sid, packet(type, data))

    def disconnect(self) -> None:
        """Cuts the connection at once: a client that takes nothing would never be sent the rest."""
        shut = self._writer.shut()
        self.close()
        if not shut:
            self._engine.close_transport(self._session)

    def close(self) -> None:
        """Stops writing and leaves the socket to the library; in the middle of a frame the socket is shut."""
        if self._remainder:
            self._writer.shut()
        self._remainder = b""
        self._writer.release()

    def _send_queued(self, data: Data) -> int:
        if self._session.closed:
            raise ConnectionError
        if self._remainder or self.try_upgrade():  # after an upgrade the viewers come back for frames
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
