"""Writes the answers of a connection, and disconnects a client that takes them too slowly."""

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

# Over all answers of a connection, requested one by one or many at once, a client may take LATE_SECONDS more than its
# bytes take at the slowest rate. A pause between two answers does not count.
SLOWEST = 8 * 1024  # bytes a second
LATE_SECONDS = 60


class Outlet:
    """Wraps the file that a connection writes to. ``whose`` returns the user or address that the bytes count for."""

    def __init__(self, file: Any, connection: Any, unsent: Unsent, whose: Callable[[], str]) -> None:
        self._file, self._connection = file, connection
        self._unsent, self._whose = unsent, whose
        self._late = 0.0  # seconds beyond what the bytes may take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> None:
        self.writelines([data])

    def writelines(self, pieces: Sequence[bytes]) -> None:
        """Writes until the kernel has all. Raises TimeoutError when that takes too long, and disconnects the client."""
        with self._in_time(sum(map(len, pieces))):
            self._file.writelines(pieces)
            self._file.flush()

    @contextmanager
    def _in_time(self, size: int) -> Iterator[None]:
        began, due = time.monotonic(), size / SLOWEST
        try:
            with (
                self._unsent.held(self._whose(), size, self._disconnect),
                eventlet.Timeout(
                    LATE_SECONDS + due - self._late, TimeoutError("an answer that is taken too slowly")
                ),
            ):
                yield
        except TimeoutError:
            self._disconnect()
            raise
        finally:
            self._late = max(0.0, self._late + time.monotonic() - began - due)

    def _disconnect(self) -> None:
        """Disconnects at once and discards what the kernel still holds: it would go on sending to this reader."""
        with contextlib.suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        shutdown_safe(self._connection)
