"""``logging`` inside a task becomes ``log`` events by itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from workers import run as runs
from workers.run import Run

# Our own loggers speak of storing events; an event of each would feed itself. So would the libraries below us.
_OURS = (
    "taskroom",
    "celery.worker",
    "celery.app",
    "celery.pool",
    "kombu",
    "amqp",
    "redis",
    "multiprocessing",
)
_NAMES = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (0, "DEBUG"))


@cache
def _is_ours(name: str) -> bool:
    """By whole names: ``redis_loader`` is somebody else's."""
    return any(name == ours or name.startswith(f"{ours}.") for ours in _OURS)


class Capture(logging.Handler):
    """Hands records that come out of the run's own code to it. It never raises into task code, and never stops a
    cancelled task: a library that logs must not be cut in the middle of its work."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        if _is_ours(record.name) or threading.current_thread().name == "taskroom-writer":
            return
        if runs.find() is not self._run:  # a thread that an earlier task left behind
            return
        try:
            message = self.format(record)
            level = next(name for rank, name in _NAMES if record.levelno >= rank)
            self._run.log(message, level, record.name, None)
        except Exception:
            self.handleError(record)  # logging's own way: a note on stderr


@contextmanager
def captured(run: Run) -> Iterator[None]:
    """Captures for the length of the block, without touching what else the root logger does."""
    root = logging.getLogger()
    handler = Capture(run)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
