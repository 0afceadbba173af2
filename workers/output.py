"""Makes what a task prints into lines of its log: of stdout as INFO, of stderr as WARNING.

A progress bar that goes back to the beginning of its line (``\\r``) becomes one line, in its last state. Programs that
a task runs write past Python to the descriptors 1 and 2, which are the worker's own log.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.tasks.reports import LINE_LIMIT
from workers import current
from workers.run import Run


class Lines(io.TextIOBase):
    """A text stream whose lines go to a logger. Each thread has an unfinished line of its own: two do not mix."""

    encoding = "utf-8"

    def __init__(self, name: str, level: int, original: Any) -> None:
        self._logger, self._level, self._original = logging.getLogger(name), level, original
        # By process, so that a forked child ends no line of its parent, and thread: the line's run and its beginning.
        self._unfinished: dict[tuple[int, int], tuple[Run | None, str]] = {}
        self._logging = threading.local()
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The worker's own descriptor, for programs that are given this stream."""
        return int(self._original.fileno())

    def write(self, text: str) -> int:
        if getattr(self._logging, "now", False):  # a handler of logging prints: logging that would not end
            return int(self._original.write(text))
        key, run = (os.getpid(), threading.get_ident()), current.find()
        owner, beginning = self._unfinished.pop(key, (run, ""))
        if owner is not run:  # an earlier task left this line unfinished in this thread
            beginning = ""
        *lines, rest = (beginning + text).split("\n")
        for line in lines:
            self._log(line)
        while len(rest) > LINE_LIMIT:
            rest = _last_state(rest)
            if len(rest) > LINE_LIMIT:
                self._log(rest[:LINE_LIMIT])
                rest = rest[LINE_LIMIT:]
        if rest:
            self._unfinished[key] = (run, rest)
        return len(text)

    def finish(self, run: Run) -> None:
        """Logs the unfinished lines of a run that ends, and drops those of runs that are over."""
        for key, (owner, text) in list(self._unfinished.items()):
            if owner is run or owner is None or owner.over:  # other runs may go on beside this one
                self._unfinished.pop(key, None)
            if owner is run and key[0] == os.getpid():
                self._log(text)

    def _log(self, line: str) -> None:
        line = _last_state(line)
        if not line:
            return
        self._logging.now = True
        try:
            self._logger.log(self._level, "%s", line)
        finally:
            self._logging.now = False


class _Bytes:
    """``sys.stdout.buffer``, for code that prints bytes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def write(self, data: Any) -> int:
        self._lines.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """Does nothing: a line is written when it ends."""


def _last_state(line: str) -> str:
    """The text that a terminal would show in the end: each ``\\r`` begins the line again."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def install() -> None:
    """Replaces stdout and stderr of this process."""
    if not isinstance(sys.stdout, Lines):
        sys.stdout = Lines("stdout", logging.INFO, sys.__stdout__)
        sys.stderr = Lines("stderr", logging.WARNING, sys.__stderr__)


def finish(run: Run) -> None:
    """Logs the lines of this run that have no newline yet."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.finish(run)


@contextmanager
def finished(run: Run) -> Iterator[None]:
    """Logs the unfinished lines of the run when the block ends."""
    try:
        yield
    finally:
        finish(run)
