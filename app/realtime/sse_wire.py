"""One SSE connection whose socket the hub writes to itself, and the one timer that looks after all of them."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from app.green import Poller
from app.principal import Principal
from app.realtime.joins import Joins
from app.realtime.sse_codec import SseCodec
from app.stream.burst import Data
from app.stream.hub import Hub
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.sse")

SLOTS = 15  # keep-alives of all viewers at once would be a stall for those who have news
# The last words leave with the close, in one packet: a client that reads them before it hears of the close would send
# its next request on this connection, and see it reset.
WITH_THE_CLOSE = getattr(socket, "MSG_MORE", 0)


class SseWire:
    """Nothing waits here: what the socket does not take is owed, and the poller tells when it takes more."""

    __slots__ = ("_debt", "_socket", "_wires", "codec", "principal", "progress_at", "send", "slot", "viewer")

    def __init__(
        self, wires: SseWires, taken: socket.socket, codec: SseCodec, viewer: Viewer, principal: Principal
    ) -> None:
        self.codec, self.viewer, self.principal = codec, viewer, principal
        self.progress_at = 0.0
        # The system call itself: this is the path of every event.
        self.send: Callable[[Any], int] = taken.send
        self.slot = taken.fileno() % SLOTS
        self._wires, self._socket, self._debt = wires, taken, b""
        wires.poller.watch(taken.fileno(), self._ready)

    @property
    def owed(self) -> int:
        return len(self._debt)

    def owe(self, rest: Data) -> None:
        self._debt = bytes(rest)

    def settle(self) -> bool:
        if self._debt:
            try:
                self._debt = self._debt[self.send(self._debt) :]
            except BlockingIOError:
                return False
        return not self._debt

    def await_room(self, viewer: Viewer) -> None:
        self._wires.poller.watch(self._socket.fileno(), self._ready, write=True)

    def left(self, viewer: Viewer, reason: str) -> None:
        """Says why, unless a frame is half sent or nobody is there, and closes."""
        codec = self.codec
        words = codec.closing
        if reason == "expired":
            words = codec.control("token_expired", {"stream": viewer.room.stream}) + words
        elif reason != "ended":
            words = codec.come_back() + words
        try:
            if reason != "gone" and not self._debt:
                self._socket.send(words, WITH_THE_CLOSE)
        except OSError:
            pass  # it is closed anyway, and comes back by itself
        self._wires.remove(self)
        self._wires.poller.forget(self._socket.fileno())
        self._socket.close()

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ:
            try:
                # A client has nothing to say here: it is a close, or of no interest.
                heard = self._socket.recv(4096)
            except BlockingIOError:
                heard = b"nothing"
            except OSError:
                heard = b""
            if not heard:
                self.viewer.close("gone")
                return
        if mask & selectors.EVENT_WRITE:
            self._wires.poller.watch(self._socket.fileno(), self._ready)
            self.viewer.ready()


class SseWires:
    """All SSE connections of the process: keep-alives in slots, and the end of those whose token expired."""

    def __init__(self, hub: Hub, joins: Joins, keepalive_seconds: float) -> None:
        self.poller = Poller()
        self._hub, self._joins, self._keepalive_seconds = hub, joins, keepalive_seconds
        self._slots: list[set[SseWire]] = [set() for _ in range(SLOTS)]
        self._running = False

    def add(self, taken: socket.socket, codec: SseCodec, viewer: Viewer, principal: Principal) -> None:
        wire = SseWire(self, taken, codec, viewer, principal)
        self._slots[wire.slot].add(wire)
        self._hub.attach(viewer, wire)
        if not self._running:
            self._running = True
            threading.Thread(target=self._look_after, name="taskroom-keepalive", daemon=True).start()

    def remove(self, wire: SseWire) -> None:
        self._slots[wire.slot].discard(wire)
        self._joins.leave(wire.principal.user_id)

    def _look_after(self) -> None:
        turn = 0
        while True:
            time.sleep(self._keepalive_seconds / SLOTS)
            try:
                now = time.time()
                for slot in self._slots:
                    for wire in [w for w in slot if w.principal.expires_at <= now]:
                        wire.viewer.close("expired")
                turn = (turn + 1) % SLOTS
                for wire in list(self._slots[turn]):
                    self._keep_alive(wire)
            except Exception:  # one stream's trouble must not end the timer of all
                logger.exception("looking after streams failed")

    def _keep_alive(self, wire: SseWire) -> None:
        viewer, codec = wire.viewer, wire.codec
        if viewer.filter:
            self._hub.say(viewer, lambda cursor: codec.heartbeat(viewer.room.stream, cursor))
        else:
            self._hub.say(viewer, lambda _: codec.keepalive)
