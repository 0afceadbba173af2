"""Errors that the part survives that met them: how they are logged, and how many of them were bugs."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter

from app.errors import causes
from app.errors.causes import Cause

bugs: Counter[str] = (
    Counter()
)  # since the start of the process, by the part: the logger's name without ours before it
_lock = threading.Lock()


def survived(logger: logging.Logger, error: BaseException, text: str, *args: object) -> Cause:
    """Logs the error and returns its cause: a temporary one is a warning of one line, which ends with the reason. Any
    other is an error with its traceback, and is counted as a bug."""
    cause = causes.of(error)
    if cause.is_temporary:
        logger.warning(f"{text}: %s", *args, causes.first_line(error))
    else:
        with _lock:
            bugs[logger.name.removeprefix("taskroom.")] += 1
        logger.error(text, *args, exc_info=error)
    return cause


def _after_fork() -> None:
    """Lets a forked child count its own."""
    global _lock
    _lock = threading.Lock()
    bugs.clear()


os.register_at_fork(after_in_child=_after_fork)
