"""The run of a command, as the process sees it that passes the command's output on."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from taskroom.cli.frames import END, Frame, Frames, encoded
from taskroom.cli.reporter import About, serve

MOST_WAITING = 4_000_000  # bytes of output on their way to the reporter
SOCKET_BYTES = 1 << 20


class Unreported:
    """A run that no server hears of. ``cancelled``: somebody wants it to stop. ``over``: nothing is left to report, and
    ``note`` is what to say of that. ``on_change`` is called, by any thread, when these have changed."""

    def __init__(self) -> None:
        self.cancelled, self.over = False, True
        self.note: str | None = None
        self.on_change: Callable[[], object] = _nothing

    def start(self) -> None:
        """Starts the threads that talk with the reporter."""

    def put(self, kind: bytes, data: bytes) -> None:
        """Takes a piece of output."""

    def end(self, status: str, linger: float, **fields: Any) -> None:
        """Tells the end of the run, and that ``over`` should be true in ``linger`` seconds."""


class Reporting(Unreported):
    """Hands output to a reporter, a process that is forked here. Nothing makes the caller wait, or raises."""

    def __init__(self, about: About) -> None:
        """Forks, so no thread may run yet. Raises OSError."""
        super().__init__()
        self.over = False
        self._frames = Frames(MOST_WAITING)
        self._peer, its = socket.socketpair()
        for end in (self._peer, its):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        try:
            if os.fork() == 0:
                self._peer.close()
                serve(its, about)
        finally:
            its.close()

    def start(self) -> None:
        for target in (self._send, self._listen):
            threading.Thread(target=target, daemon=True).start()

    def put(self, kind: bytes, data: bytes) -> None:
        self._frames.put(Frame(kind, time.time(), data))

    def end(self, status: str, linger: float, **fields: Any) -> None:
        body = json.dumps({"status": status, "linger": linger, **fields}).encode()
        self._frames.put(Frame(END, time.time(), body))
        self._frames.close()

    def _send(self) -> None:
        try:
            while (frame := self._frames.get()) is not None:
                self._peer.sendall(encoded(frame))
            self._peer.shutdown(socket.SHUT_WR)
        except OSError:  # the reporter has gone, which the other thread sees too
            while self._frames.get() is not None:
                continue

    def _listen(self) -> None:
        try:
            with self._peer.makefile("rb") as answers:
                for line in answers:
                    self._hear(json.loads(line))
        except OSError:
            pass
        if not self.over:
            self.note = self.note or "the process that reports this run has ended too early"
        self.over = True
        self.on_change()

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("cancel"):
            self.cancelled = True
        else:
            self.note, self.over = message["note"], True
        self.on_change()


def _nothing() -> None:
    """Until somebody wants to know."""
