"""The socket that a web process listens at: its errors, and the options that each connection inherits from it."""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

from app.errors import causes
from app.errors.causes import Cause

logger = logging.getLogger("taskroom.server")

# Some containers allow a thousand times more, and programs that go through all of them stall.
OPEN_FILES = 1_048_576
# With the kernel's default a reader that stalled would show only after four megabytes.
SEND_BUFFER = 256 * 1024
PAUSE_SECONDS = 0.2
AT_ONCE = 10  # failures of single connections in a row, before there is a pause after each
LOG_SECONDS = 10.0

# The kernel probes a quiet connection after so long, then again and again: before the rarest data of ours, the comment
# that some addresses send every 30 s, would restart the time.
QUIET_SECONDS, PROBE_SECONDS = 16, 3
# From the first data that is not acknowledged. With the time that may pass before data is sent, less than a minute.
LEAST_SILENCE = 25


def raise_file_limit() -> int:
    """Allows as many open files as the system permits; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def notice_silence(listener: socket.socket, stalled_seconds: float) -> None:
    """Makes the kernel end connections, accepted from here on, whose peer has vanished, within a minute.

    The kernel does not tell a peer that has vanished from one whose window stays closed, so both have about the time
    that the application allows a stalled reader."""
    silence = max(LEAST_SILENCE, int(stalled_seconds) - 2)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", QUIET_SECONDS),
        ("TCP_KEEPALIVE", QUIET_SECONDS),  # the same, on macOS
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", silence * 1000),  # on Linux this decides for quiet and for busy connections
    ):
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Listener:
    """Wraps a listening socket. ``accept`` retries after passing errors; any other error ends the serving."""

    def __init__(self, listener: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._listener, self._sleep = listener, sleep
        self._failures = 0
        self._log_at = -float("inf")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        row = 0
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                cause = causes.of_accept(error)
                if cause is Cause.BUG:
                    raise
                row += 1
                self._failures += 1
                self._log(error)
            self._sleep(PAUSE_SECONDS if cause is Cause.OUT_OF_RESOURCES or row > AT_ONCE else 0)

    def _log(self, error: OSError) -> None:
        at = time.monotonic()
        if at >= self._log_at:
            self._log_at = at + LOG_SECONDS
            logger.warning(
                "connections cannot be accepted, again soon (failures since the start: %d): %s",
                *(self._failures, error),
            )
