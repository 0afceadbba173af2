"""Reports that were held back because they came too soon follow by themselves, from one thread of the process."""

from __future__ import annotations

import contextvars
import logging
import os
import queue
import threading
import time
from contextlib import suppress
from typing import Protocol

NAME = "taskroom-held"
LOOK_SECONDS = 0.1

logger = logging.getLogger("taskroom")


class Holder(Protocol):
    def catch_up(self) -> bool:
        """Makes the report if it is due. Whether nothing is left to report."""


class Held:
    """The holders of such reports. ``lock`` is held while a phase reports, so that nothing follows its end."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._waiting: queue.SimpleQueue[Holder] = queue.SimpleQueue()
        self._starting = threading.Lock()

    def add(self, holder: Holder) -> None:
        """Calls ``catch_up`` until it says True. Starts the thread where there is none."""
        self._waiting.put(holder)
        if self._starting.acquire(blocking=False):
            thread = threading.Thread(target=self._run, name=NAME, daemon=True)
            try:
                contextvars.Context().run(thread.start)  # not in the context of a task
            except RuntimeError:  # no threads left, or the interpreter ends
                self._starting.release()

    def _run(self) -> None:
        left: list[Holder] = []
        while True:
            if not left:
                left.append(self._waiting.get())
            time.sleep(LOOK_SECONDS)
            with suppress(queue.Empty):
                while True:
                    left.append(self._waiting.get_nowait())
            left = [holder for holder in left if not _caught_up(holder)]


def _caught_up(holder: Holder) -> bool:
    try:
        return holder.catch_up()
    except Exception:  # of one run; the reports of others follow
        logger.exception("a report could not be made")
        return True


held = Held()


def _after_fork() -> None:
    """The thread, and what it holds, are the parent's."""
    global held
    held = Held()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
