"""What a task prints, as lines of its log: one at each newline, of stdout as INFO and of stderr as WARNING.

A progress bar that goes back to the beginning of its line (``\\r``) is one line, in its last state. What programs print
that a task runs goes past Python to the descriptors 1 and 2, which are the worker's own log.
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
from workers import run as runs
from workers.run import Run


class Lines(io.TextIOBase):
    """A text stream whose lines go to a logger. Each thread has a line of its own, so that two do not mix."""

    encoding = "utf-8"

    def __init__(self, name: str, level: int, original: Any) -> None:
        self._logger, self._level, self._original = logging.getLogger(name), level, original
        # By process, so that a forked child ends no line of its parent's, and thread: whose line, and its beginning.
        self._begun: dict[tuple[int, int], tuple[Run | None, str]] = {}
        self._inside = threading.local()
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The worker's own, for programs that are given it."""
        return int(self._original.fileno())

    def write(self, text: str) -> int:
        if getattr(self._inside, "it", False):  # a handler of logging prints: its note must not feed itself
            return int(self._original.write(text))
        key, run = (os.getpid(), threading.get_ident()), runs.find()
        owner, begun = self._begun.pop(key, (run, ""))
        if owner is not run:  # what an earlier task left unfinished in this thread
            begun = ""
        *lines, rest = (begun + text).split("\n")
        for line in lines:
            self._log(line)
        while len(rest) > LINE_LIMIT:
            rest = _state(rest)
            if len(rest) > LINE_LIMIT:
                self._log(rest[:LINE_LIMIT])
                rest = rest[LINE_LIMIT:]
        if rest:
            self._begun[key] = (run, rest)
        return len(text)

    def finish(self, run: Run) -> None:
        """The run ends: lines that it began are complete, and what is left of other runs goes."""
        for key, (owner, text) in list(self._begun.items()):
            self._begun.pop(key, None)
            if owner is run and key[0] == os.getpid():
                self._log(text)

    def _log(self, line: str) -> None:
        line = _state(line)
        if not line:
            return
        self._inside.it = True
        try:
            self._logger.log(self._level, "%s", line)
        finally:
            self._inside.it = False


class _Bytes:
    """``sys.stdout.buffer``, for code that prints bytes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def write(self, data: Any) -> int:
        self._lines.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """A line is written when it ends."""


def _state(line: str) -> str:
    """What stands there in the end: each ``\\r`` begins the line again."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def install() -> None:
    """In place of this process's stdout and stderr."""
    if not isinstance(sys.stdout, Lines):
        sys.stdout = Lines("stdout", logging.INFO, sys.__stdout__)
        sys.stderr = Lines("stderr", logging.WARNING, sys.__stderr__)


def finish(run: Run) -> None:
    """Ends the lines of this run that have no newline yet."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.finish(run)


@contextmanager
def finished(run: Run) -> Iterator[None]:
    """After the block no line of the run is unfinished."""
    try:
        yield
    finally:
        finish(run)
