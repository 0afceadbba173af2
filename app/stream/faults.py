"""Counts and logs exceptions that must not end more than the part that raised them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("taskroom.faults")

QUIET_SECONDS = 60.0  # a fault is logged again when it did not happen for that long
KEPT = 1_000


class Faults:
    """``note`` is called when a room, a wire, a message or a timer failed and the others go on."""

    def __init__(self) -> None:
        self.count = 0
        self._last: dict[tuple[str, type[Exception]], float] = {}  # when each last happened, the oldest first
        self._lock = threading.Lock()

    def note(self, where: str, error: Exception) -> None:
        """Counts the error, and logs it unless it happened lately. ``where`` says what failed, in the same words each
        time."""
        key, now = (where, type(error)), time.monotonic()
        with self._lock:
            self.count += 1
            last = self._last.pop(key, None)
            self._last[key] = now
            if len(self._last) > KEPT:
                del self._last[next(iter(self._last))]
        if last is None or now - last > QUIET_SECONDS:
            logger.error("%s, and the others go on", where, exc_info=error)

    @contextmanager
    def within(self, where: str) -> Iterator[None]:
        """Notes an exception of the block and does not raise it."""
        try:
            yield
        except Exception as error:
            self.note(where, error)
