"""The socket that a web process listens at: what befalls it, and what each connection inherits from it."""

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

# Some containers allow a thousand times more, and programs that walk all of them stall.
OPEN_FILES = 1_048_576
# Else the kernel hides a reader that stalled behind four megabytes.
SEND_BUFFER = 256 * 1024
PAUSE_SECONDS = 0.2
AT_ONCE = 10  # so many failures of single connections in a row, before there is a pause after each
SAID_SECONDS = 10.0

# A quiet connection is asked for a sign of life after so long, and again and again: before the rarest of our own, the
# comment that some addresses send every 30 s, would begin the time anew.
QUIET_SECONDS, ASKED_SECONDS = 16, 3
# From the first thing sent that is not acknowledged. With what may pass before something is sent, less than a minute.
LEAST_SILENCE = 25


def raise_file_limit() -> int:
    """As many open files as the system allows; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def notice_silence(listener: socket.socket, stalled_seconds: float) -> None:
    """Connections accepted from here on end when their peer has vanished without a word, within a minute.

    A peer whose window stays closed is not told apart from one that has vanished by the kernel, so it is given about
    the time that we give it ourselves."""
    silence = max(LEAST_SILENCE, int(stalled_seconds) - 2)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", QUIET_SECONDS),
        ("TCP_KEEPALIVE", QUIET_SECONDS),  # the same, on macOS
        ("TCP_KEEPINTVL", ASKED_SECONDS),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", silence * 1000),  # on Linux this decides for both, quiet and busy
    ):
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Listener:
    """Stands before a listening socket. ``accept`` outlives what passes; what it raises is the end of serving."""

    def __init__(self, listener: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._listener, self._sleep = listener, sleep
        self._failures = 0
        self._say_at = -float("inf")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        row = 0
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                cause = causes.of_accept(error)
                if cause is Cause.FAULT:
                    raise
                row += 1
                self._failures += 1
                self._say(error)
            self._sleep(PAUSE_SECONDS if cause is Cause.SHORT or row > AT_ONCE else 0)

    def _say(self, error: OSError) -> None:
        at = time.monotonic()
        if at >= self._say_at:
            self._say_at = at + SAID_SECONDS
            logger.warning(
                "connections cannot be accepted, again soon (failures since the start: %d): %s",
                *(self._failures, error),
            )
