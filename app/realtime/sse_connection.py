"""An SSE connection of one viewer, which is the viewer's wire itself."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from typing import Any

from app.auth.principal import Principal
from app.green import has_gone
from app.realtime.sse_codec import SseCodec
from app.realtime.sse_registry import Connection, SseRegistry
from app.stream.hub import Hub
from app.stream.viewer import Viewer


class SseConnection(Connection):
    __slots__ = ("send", "viewer")

    def __init__(
        self,
        registry: SseRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewer: Viewer,
        principal: Principal,
    ) -> None:
        self.viewer = viewer
        # The system call itself, without a method around it: this is the path of every event.
        self.send: Callable[[Any], int] = taken.send
        super().__init__(registry, taken, codec, principal)

    def send_remainder(self) -> bool:
        if self._remainder:
            try:
                self._remainder = self._remainder[self.send(self._remainder) :]
            except BlockingIOError:
                return False
        return not self._remainder

    def call_when_writable(self, viewer: Viewer) -> None:
        self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)

    def left(self, viewer: Viewer, reason: str) -> None:
        self._end(viewer, reason)

    def attach(self, hub: Hub) -> None:
        hub.attach(self.viewer, self)

    def close(self, reason: str) -> None:
        self.viewer.close(reason)

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
