"""One Socket.IO connection, as events go onto it: frames made once, and never more queued than it takes."""

from __future__ import annotations

import logging
import time
from typing import Any

import orjson

from app.stream.event import Event
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.sockets")

DRAIN_SECONDS = 0.005
POLLING_PACKETS = 12  # and room for a ping, an acknowledgement and a control message
STALLED_SECONDS = 30.0


def codec(event: Event) -> str:
    """The Socket.IO packet (protocol 5, type 2: event, namespace /) without encoding the payload again."""
    return f'2["{event.type}",{event.payload}]'


class SocketWire:
    """Hands packets to Engine.IO below the library's own emit, which would encode each for every viewer."""

    def __init__(self, server: Any, sid: str) -> None:
        self._eio = server.eio
        self._eio_sid: str = server.manager.eio_sid_from_sid(sid, "/")
        self.open = True

    def send(self, viewer: Viewer, frames: list[str]) -> bool:
        """Queues what the client takes, and waits until it did: Engine.IO's own queue knows no bound.

        False when the viewer has left, the client has gone, or took nothing for so long that it was cut.
        """
        start = 0
        while start < len(frames) and not viewer.closed:
            socket = self._eio.sockets.get(self._eio_sid)
            if socket is None or not self._drained(socket):
                return False
            # The Python client refuses a long-polling answer of more than sixteen packets.
            stop = len(frames) if socket.upgraded else start + POLLING_PACKETS
            for frame in frames[start:stop]:
                self._eio.send(self._eio_sid, frame)
            start = stop
        return not viewer.closed

    def control(self, type: str, data: dict[str, Any]) -> None:
        """By the way of the events, so in their order; the library's emit would go through Redis."""
        self._eio.send(self._eio_sid, f'2["{type}",{orjson.dumps(data).decode()}]')

    def cut(self) -> None:
        """Closes the transport only: clients come back from that by themselves, from a disconnect never."""
        socket = self._eio.sockets.get(self._eio_sid)
        if socket is not None:
            socket.close(wait=False)

    def _drained(self, socket: Any) -> bool:
        limit = time.monotonic() + STALLED_SECONDS
        while self.open and not socket.closed:
            if socket.queue.qsize() == 0:
                return True
            if time.monotonic() > limit:
                logger.info("a viewer that took nothing for %.0f s is cut", STALLED_SECONDS)
                self.cut()
                return False
            self._eio.sleep(DRAIN_SECONDS)
        return False
