"""Threads that may be started under a lock, and long loops that let other threads run."""

from __future__ import annotations

import _thread
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

PAUSE_AFTER = 0.01  # seconds in which ``with_pauses`` lets no other thread run, whatever the items cost

Item = TypeVar("Item")
logger = logging.getLogger("taskroom.hub")


def spawn(function: Callable[..., None], *args: Any) -> None:
    """Runs the function in a thread of its own and returns at once.

    ``Thread.start`` waits until the thread runs: a caller that holds a lock would hold it meanwhile.
    """

    def run() -> None:
        try:
            function(*args)
        except Exception:
            logger.exception("a thread failed")

    _thread.start_new_thread(run, ())


def with_pauses(items: Iterable[Item], at_once: int = 200) -> Iterator[Item]:
    """Yields the items, for a long loop without a lock: other threads run after ``at_once`` of them, and after one that
    made the loop run for PAUSE_AFTER."""
    began = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0 or time.monotonic() - began >= PAUSE_AFTER:
            time.sleep(0)
            began = time.monotonic()
