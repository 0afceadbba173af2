"""Reads the body of a request, which may come slowly, in tiny chunks or without an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import eventlet
import eventlet.wsgi

BODY_SECONDS = 60
# So much of an unread body is discarded before the next request; a longer one ends the connection.
DISCARDED_BYTES = 4 * 1024 * 1024
CHUNKS = 10_000  # of a body; each takes time, however short it is
CHUNKS_IN_A_TURN = 64


class ChunkLines:
    """Reads the lines of a chunked body: limits how many there are, and lets other greenlets run between them."""

    def __init__(self, rfile: Any) -> None:
        self._rfile, self._read = rfile, 0

    def read(self, size: int = -1) -> Any:
        return self._rfile.read(size)

    def readline(self, size: int = -1) -> Any:
        self._read += 1
        if self._read > 2 * CHUNKS:  # two a chunk: its length, and the line end behind its data
            raise eventlet.wsgi.ChunkReadError("too many chunks")
        if self._read % (2 * CHUNKS_IN_A_TURN) == 0:
            eventlet.sleep(0)
        return self._rfile.readline(size if size >= 0 else eventlet.wsgi.MAX_HEADER_LINE)


class Body(eventlet.wsgi.Input):  # type: ignore[misc]
    """A request's body. Reading raises TimeoutError when it is late, ValueError when it is malformed."""

    rfile: Any

    def __init__(self, given: Any) -> None:
        self.__dict__.update(given.__dict__)
        if self.chunked_input:
            self.rfile = ChunkLines(self.rfile)
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
        """Reads and drops the rest. Raises OSError when it is too long, so that the connection is closed."""
        discarded = 0
        while read := self.read(buffer_size):
            discarded += len(read)
            if discarded > DISCARDED_BYTES:
                raise OSError("a body longer than is thrown away")
