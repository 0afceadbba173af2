"""The connections of SSE, to whose sockets the hub writes itself."""

from __future__ import annotations

import selectors
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from app.auth.principal import Principal
from app.green import Poller, has_gone
from app.realtime.sse_codec import SseCodec
from app.stream.codec import Data
from app.stream.hub import Hub
from app.stream.viewer import Viewer


class ConnectionRegistry(Protocol):
    """Of the connections of a process."""

    poller: Poller

    def remove(self, connection: SseConnection, taken: socket.socket, last: bytes) -> None:
        """Sends the last bytes, and closes the socket that was taken over."""


class SseConnection(ABC):
    """A connection of ``viewers``. Nothing waits: the poller calls ``_ready`` when the socket takes more, or when the
    client has closed it."""

    __slots__ = (
        *("_registry", "_remainder", "_socket"),
        *("codec", "opened_at", "principal", "progress_at", "slot"),
    )
    viewers: Sequence[Viewer]

    def __init__(
        self, registry: ConnectionRegistry, taken: socket.socket, codec: SseCodec, principal: Principal
    ) -> None:
        self._registry, self._socket, self._remainder = registry, taken, b""
        self.codec, self.principal = codec, principal
        self.progress_at = self.opened_at = time.monotonic()
        self.slot = taken.fileno()  # spreads the connections over time
        registry.poller.watch(self.slot, self._ready)

    @abstractmethod
    def attach(self, hub: Hub) -> None:
        """Begins to send."""

    @abstractmethod
    def _writable(self) -> None:
        """The socket takes more, after it had taken too little."""

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def hold_remainder(self, remainder: Data) -> None:
        self._remainder = bytes(remainder)

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
        self._registry.poller.watch(self._socket.fileno(), self._ready, write=True)

    def close(self, reason: str) -> None:
        for viewer in self.viewers:
            viewer.close(reason)

    def keep_alive(self, hub: Hub, connections: int) -> None:
        """Sends the keep-alive of a viewer that keeps up; where none does, bytes are on their way anyway."""
        viewer = self._viewer_that_keeps_up()
        if viewer is not None:
            codec: Any = viewer.wire.codec  # type: ignore[union-attr]
            hub.send_control(viewer, partial(codec.quiet, viewer, connections=connections))

    def send_comment(self, hub: Hub) -> None:
        viewer = self._viewer_that_keeps_up()
        if viewer is not None:
            hub.send_control(viewer, lambda cursor: self.codec.keepalive)

    def _viewer_that_keeps_up(self) -> Viewer | None:
        return next((viewer for viewer in self.viewers if viewer.cohort is not None), None)

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ and has_gone(self._socket):
            self.close("gone")
        elif mask & selectors.EVENT_WRITE:
            self._registry.poller.watch(self._socket.fileno(), self._ready)
            self._writable()

    def _end(self, viewer: Viewer, reason: str) -> None:
        """Sends the reason, unless a frame is partly sent or the client is gone, and closes the socket."""
        last = b"" if self._remainder else self.codec.farewell(reason, viewer.room.stream)
        self._registry.remove(self, self._socket, last)


class OneRoomConnection(SseConnection):
    """A connection of one viewer, whose wire it is itself."""

    __slots__ = ("_viewer", "send")

    def __init__(
        self,
        registry: ConnectionRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewer: Viewer,
        principal: Principal,
    ) -> None:
        self._viewer = viewer
        # The system call itself, without a method around it: this is the path of every event.
        self.send: Callable[[Any], int] = taken.send
        super().__init__(registry, taken, codec, principal)

    @property
    def viewers(self) -> Sequence[Viewer]:  # type: ignore[override]
        return (self._viewer,)

    def on_closed(self, viewer: Viewer, reason: str) -> None:
        self._end(viewer, reason)

    def attach(self, hub: Hub) -> None:
        hub.attach(self._viewer, self)

    def _writable(self) -> None:
        self._viewer.ready()
