"""What a worker prints becomes lines of ``logging``, and with that lines of the task that prints them.

Programs that a task runs write past Python to the descriptors 1 and 2, which are the worker's own log.
"""

from __future__ import annotations

import codecs
import io
import logging
import sys
import threading
from functools import partial
from typing import Any

from taskroom import context, output


class OutputLines(output.Lines):
    """A text stream whose lines go to a logger. It has what code may expect of ``sys.stdout``."""

    encoding = "utf-8"
    errors = "replace"
    line_buffering, write_through = True, False

    def __init__(self, name: str, level: int, original: Any) -> None:
        super().__init__(partial(logging.getLogger(name).log, level, "%s"), original)
        self.name, self.mode = f"<{name}>", "w"
        self.buffer = _Bytes(self)

    def fileno(self) -> int:
        """The worker's own descriptor, for programs that are given this stream."""
        return int(self.original.fileno())

    def reconfigure(self, **options: Any) -> None:
        """Does nothing: lines are texts, which have no encoding, and are written when they end."""

    def detach(self) -> _Bytes:  # type: ignore[override]
        """Returns the stream of bytes, for code that wraps it anew."""
        return self.buffer

    def close(self) -> None:
        """Does nothing: the worker prints on."""


class _Bytes(io.BufferedIOBase):
    """``sys.stdout.buffer``, for code that prints bytes. A run has an unfinished letter of its own in each thread."""

    def __init__(self, lines: OutputLines) -> None:
        self._lines, self._local = lines, threading.local()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        run = context.find()
        owner, decoder = getattr(self._local, "unfinished", (None, None))
        if decoder is None or owner is not run:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            self._local.unfinished = run, decoder
        with memoryview(data) as view:
            self._lines.write(decoder.decode(view.tobytes()))
            return view.nbytes

    def fileno(self) -> int:
        return self._lines.fileno()

    def close(self) -> None:
        """Does nothing: a wrapper that is forgotten closes what it wraps."""


def install() -> None:
    """Replaces stdout and stderr of this process."""
    if not isinstance(sys.stdout, OutputLines):
        sys.stdout = OutputLines("stdout", logging.INFO, sys.__stdout__)
        sys.stderr = OutputLines("stderr", logging.WARNING, sys.__stderr__)
