"""What a worker prints becomes lines of ``logging``, and with that lines of the task that prints them.

Programs that a task runs write past Python to the descriptors 1 and 2, which are the worker's own log.
"""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

from taskroom import output


class Lines(output.Lines):
    """A text stream whose lines go to a logger."""

    encoding = "utf-8"

    def __init__(self, name: str, level: int, original: Any) -> None:
        super().__init__(partial(logging.getLogger(name).log, level, "%s"), original)
        self.buffer = _Bytes(self)

    def fileno(self) -> int:
        """The worker's own descriptor, for programs that are given this stream."""
        return int(self.original.fileno())


class _Bytes:
    """``sys.stdout.buffer``, for code that prints bytes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def write(self, data: Any) -> int:
        self._lines.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """Does nothing: a line is written when it ends."""


def install() -> None:
    """Replaces stdout and stderr of this process."""
    if not isinstance(sys.stdout, Lines):
        sys.stdout = Lines("stdout", logging.INFO, sys.__stdout__)
        sys.stderr = Lines("stderr", logging.WARNING, sys.__stderr__)
