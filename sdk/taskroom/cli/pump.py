"""Passes on what a command writes, unchanged and at once, and gives away a copy."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable

READ_BYTES = 1 << 18


class Pump:
    """From ``source`` to ``target``, until the end of ``source``. Once ``stop`` is at its end too, what is there by
    then is passed on, and what comes within ``grace`` seconds: processes that the command has left behind may keep
    ``source`` open for ever.

    When ``target`` takes nothing more, ``source`` is closed, and its writers learn it as they would have from
    ``target``. ``error`` says why then. ``on_end`` is called when it no longer ``is_running``.
    """

    def __init__(
        self,
        source: int,
        target: int,
        stop: int,
        grace: float,
        take: Callable[[bytes], object],
        on_end: Callable[[], object],
    ) -> None:
        self.error: OSError | None = None
        self._source, self._target, self._stop, self._grace = source, target, stop, grace
        self._take, self._on_end = take, on_end
        self.is_running = True

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._pass_on()
        except OSError as error:
            self.error = error
        finally:
            os.close(self._source)
            self.is_running = False
            self._on_end()

    def _pass_on(self) -> None:
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if self._stop in ready:
                break
            if not self._piece():
                return
        poll.unregister(self._stop)
        owed, deadline = _waiting(self._source), time.monotonic() + self._grace
        while owed > 0 or time.monotonic() < deadline:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1_000):
                return
            size = self._piece()
            if not size:
                return
            owed -= size

    def _piece(self) -> int:
        """Passes on what there is; returns how many bytes, 0 at the end."""
        try:
            data = os.read(self._source, READ_BYTES)
        except OSError:  # a pseudo-terminal whose other end was closed
            return 0
        if data:
            write_all(self._target, data)
            self._take(data)
        return len(data)


def write_all(fd: int, data: bytes) -> None:
    """Writes all of it, also where another program made the descriptor one that does not wait. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select([], [fd], [])


def _waiting(fd: int) -> int:
    """How many bytes can be read at once."""
    try:
        found: int = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]
    except OSError:
        return 0
    return found
