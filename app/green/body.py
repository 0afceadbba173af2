"""The body of a request, read from a connection that may send it slowly, in crumbs or without an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import eventlet
import eventlet.wsgi

BODY_SECONDS = 60
# Of a body that nobody reads so much is thrown away before the next request; a longer one ends the connection.
DISCARDED_BYTES = 4 * 1024 * 1024
CHUNKS = 10_000  # of a body; each costs, however short it is
CHUNKS_IN_A_TURN = 64


class Lines:
    """Where the chunks of a body are read from: not for too long in one turn, and not for ever."""

    def __init__(self, rfile: Any) -> None:
        self._rfile, self._read = rfile, 0

    def read(self, size: int = -1) -> Any:
        return self._rfile.read(size)

    def readline(self, size: int = -1) -> Any:
        self._read += 1
        if self._read > 2 * CHUNKS:  # its length, and the end of the line behind it
            raise eventlet.wsgi.ChunkReadError("too many chunks")
        if self._read % (2 * CHUNKS_IN_A_TURN) == 0:
            eventlet.sleep(0)
        return self._rfile.readline(size if size >= 0 else eventlet.wsgi.MAX_HEADER_LINE)


class Body(eventlet.wsgi.Input):  # type: ignore[misc]
    """A request's body. TimeoutError when it has not come in time, ValueError when it is no body of ours."""

    rfile: Any

    def __init__(self, given: Any) -> None:
        self.__dict__.update(given.__dict__)
        if self.chunked_input:
            self.rfile = Lines(self.rfile)
        self._until = time.monotonic() + BODY_SECONDS
        self.late = False

    def read(self, length: int | None = None) -> Any:
        return self._in_time(super().read, length)

    def readline(self, size: int | None = None) -> Any:
        return self._in_time(super().readline, size)

    def _in_time(self, read: Callable[[int | None], Any], length: int | None) -> Any:
        if not self.chunked_input and self.position >= (self.content_length or 0):
            return b""
        try:
            with eventlet.Timeout(
                max(0.0, self._until - time.monotonic()), TimeoutError("a body that is late")
            ):
                return read(length)
        except TimeoutError:
            self.late = True
            raise

    def discard(self, buffer_size: int = 16 * 1024) -> None:
        """OSError when it is not worth it: the connection is to be closed."""
        discarded = 0
        while read := self.read(buffer_size):
            discarded += len(read)
            if discarded > DISCARDED_BYTES:
                raise OSError("a body longer than is thrown away")
