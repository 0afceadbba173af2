"""A thread for what waits for the broker."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable

logger = logging.getLogger("taskroom")


def in_thread(work: Callable[[], object], problem: str) -> None:
    """Does it in a thread that belongs to no task; an exception is logged as ``problem``. For the thread that sends to
    the server, which must not wait for a broker."""

    def run() -> None:
        try:
            work()
        except Exception:
            logger.exception("%s", problem)

    target = contextvars.Context().run
    threading.Thread(target=target, args=(run,), name="taskroom-broker", daemon=True).start()
