"""What a connection's answers go through: a client that takes them too slowly is cut off."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import eventlet
from eventlet.greenio import shutdown_safe

from app.green.unsent import Unsent

# Of a connection, over all its answers, whether it asks for them one by one or for many at once: so many seconds more
# than its bytes may take at the slowest. A pause between two answers counts for nothing.
SLOWEST = 8 * 1024  # bytes a second
LATE_SECONDS = 60


class Outlet:
    """Stands before the file that a connection writes to. ``whose`` says whom what is written counts for."""

    def __init__(self, file: Any, connection: Any, unsent: Unsent, whose: Callable[[], str]) -> None:
        self._file, self._connection = file, connection
        self._unsent, self._whose = unsent, whose
        self._late = 0.0  # seconds that it took beyond what its bytes may take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> None:
        self.writelines([data])

    def writelines(self, pieces: Sequence[bytes]) -> None:
        """Returns when the kernel has all of it. TimeoutError when that takes too long; then the connection is cut."""
        with self._in_time(sum(map(len, pieces))):
            self._file.writelines(pieces)
            self._file.flush()

    @contextmanager
    def _in_time(self, size: int) -> Iterator[None]:
        began, due = time.monotonic(), size / SLOWEST
        try:
            with (
                self._unsent.held(self._whose(), size, self._cut),
                eventlet.Timeout(
                    LATE_SECONDS + due - self._late, TimeoutError("an answer that is taken too slowly")
                ),
            ):
                yield
        except TimeoutError:
            self._cut()
            raise
        finally:
            self._late = max(0.0, self._late + time.monotonic() - began - due)

    def _cut(self) -> None:
        """At once, and what the kernel still has of it is thrown away: it would go on for this reader."""
        with contextlib.suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        shutdown_safe(self._connection)
