"""Makes what is printed in a run into lines of its log: of stdout as INFO, of stderr as WARNING.

A progress bar that goes back to the beginning of its line (``\\r``) becomes one line, in its last state. Programs that
are run write past Python to the descriptors 1 and 2.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from taskroom import context
from taskroom.capture import handlers_run, handling
from taskroom.limits import LINE_LIMIT
from taskroom.runs import Run


class Lines(io.TextIOBase):
    """A text stream whose lines go to ``take``. Each thread has an unfinished line of its own: two do not mix.
    ``original`` has what handlers of logging print: logging of that would not end."""

    def __init__(self, take: Callable[[str], object], original: Any) -> None:
        self._take, self.original = take, original
        # By process, so that a forked child ends no line of its parent, and thread: the line's run and its beginning.
        self._unfinished: dict[tuple[int, int], tuple[Run | None, str]] = {}

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if handlers_run():
            return int(self.original.write(text))
        self.split(text)
        return len(text)

    def split(self, text: str) -> None:
        """Takes the lines that the text ends, and keeps its rest."""
        key, run = (os.getpid(), threading.get_ident()), context.find()
        owner, beginning = self._unfinished.pop(key, (run, ""))
        if owner is not run:  # an earlier run left this line unfinished in this thread
            beginning = ""
        *lines, rest = (beginning + text).split("\n")
        for line in lines:
            self._line(line)
        while len(rest) > LINE_LIMIT:
            rest = _last_state(rest)
            if len(rest) > LINE_LIMIT:
                self._line(rest[:LINE_LIMIT])
                rest = rest[LINE_LIMIT:]
        if rest:
            self._unfinished[key] = (run, rest)

    def finish(self, run: Run) -> None:
        """Takes the unfinished lines of a run that ends, and drops those of runs that are over."""
        for key, (owner, text) in list(self._unfinished.items()):
            if owner is run or owner is None or owner.over:  # other runs may go on beside this one
                self._unfinished.pop(key, None)
            if owner is run and key[0] == os.getpid():
                self._line(text)

    def _line(self, line: str) -> None:
        line = _last_state(line)
        if line:
            with handling():
                self._take(line)


def _last_state(line: str) -> str:
    """The text that a terminal would show in the end: each ``\\r`` begins the line again."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def finish(run: Run) -> None:
    """Takes the lines of this run that have no newline yet."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.finish(run)


@contextmanager
def finished(run: Run) -> Iterator[None]:
    """Takes the unfinished lines of the run when the block ends."""
    try:
        yield
    finally:
        finish(run)
