"""Exceptions that must not end more than what raised them: each is logged once and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("taskroom.faults")

QUIET_SECONDS = 60.0  # the same fault is logged again when it did not happen for so long
KEPT = 1_000


class Faults:
    """``note`` is called where a room, a wire, a message or a timer failed and the others go on."""

    def __init__(self) -> None:
        self.count = 0
        self._last: dict[tuple[str, type[Exception]], float] = {}  # when each happened last, in that order
        self._lock = threading.Lock()

    def note(self, where: str, error: Exception) -> None:
        """``where`` says what failed, and is the same each time that it fails."""
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
        """Ends an exception of the block, by noting it."""
        try:
            yield
        except Exception as error:
            self.note(where, error)
