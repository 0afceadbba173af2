"""Warnings: one a minute, because a server that is away for long must not fill the log of the tasks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

logger = logging.getLogger("taskroom")

PERIOD_SECONDS = 60.0


class Notices:
    """Says things to the log of the process. Never raises, whatever the handlers of the log do."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = float("-inf")
        self._said: set[str] = set()

    def warn(self, message: str) -> None:
        """Says it unless something was said within the last minute."""
        now = self._clock()
        if now >= self._next:
            self._next = now + PERIOD_SECONDS
            _say(message)

    def once(self, kind: str, message: str) -> None:
        """Says it the first time that there is something of this kind to say."""
        if kind not in self._said:
            self._said.add(kind)
            _say(message)

    def forget(self, kind: str) -> None:
        """The next of this kind is news again."""
        self._said.discard(kind)


def _say(message: str) -> None:
    with suppress(Exception):  # of a handler; there is nowhere else to say it
        logger.warning("%s", message)
