"""An SSE connection of one viewer, to whose socket the hub writes itself."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from app.auth.principal import Principal
from app.green import has_gone
from app.realtime.sse_codec import SseCodec
from app.realtime.sse_registry import SseRegistry
from app.stream.codec import Data
from app.stream.hub import Hub
from app.stream.viewer import Viewer


class SseConnection:
    """Both the connection and the viewer's wire. Nothing waits: the poller calls when the socket takes more."""

    __slots__ = (
        "_registry",
        "_remainder",
        "_socket",
        "codec",
        "opened_at",
        "principal",
        "progress_at",
        "send",
        "slot",
        "viewer",
    )

    def __init__(
        self,
        registry: SseRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewer: Viewer,
        principal: Principal,
    ) -> None:
        self.codec, self.viewer, self.principal = codec, viewer, principal
        self.progress_at, self.opened_at = 0.0, time.monotonic()
        # The system call itself, without a method around it: this is the path of every event.
        self.send: Callable[[Any], int] = taken.send
        self.slot = taken.fileno()
        self._registry, self._socket, self._remainder = registry, taken, b""
        registry.poller.watch(taken.fileno(), self._ready)

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def hold_remainder(self, remainder: Data) -> None:
        self._remainder = bytes(remainder)

    def send_remainder(self) -> bool:
        if self._remainder:
            try:
                self._remainder = self._remainder[self.send(self._remainder) :]
            except BlockingIOError:
                return False
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)

    @property
    def viewers(self) -> tuple[Viewer]:
        return (self.viewer,)

    def left(self, viewer: Viewer, reason: str) -> None:
        """Sends the reason, unless a frame is partly sent or the client is gone, and closes."""
        last = b"" if self._remainder else self.codec.farewell(reason, viewer.room.stream)
        self._registry.remove(self, self._socket, last)

    def attach(self, hub: Hub) -> None:
        hub.attach(self.viewer, self)

    def send_comment(self, hub: Hub) -> None:
        hub.send_control(self.viewer, lambda cursor: self.codec.keepalive)

    def keep_alive(self, hub: Hub, connections: int) -> None:
        viewer, codec = self.viewer, self.codec
        hub.send_control(viewer, lambda cursor: codec.quiet(viewer, cursor, connections))

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ and has_gone(self._socket):
            self.viewer.close("gone")
        elif mask & selectors.EVENT_WRITE:
            self._registry.poller.watch(self._socket.fileno(), self._ready)
            self.viewer.ready()
