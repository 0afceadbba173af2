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

STREAMS = (("stdout", "INFO"), ("stderr", "WARNING"))


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


class Tee(Lines):
    """Passes on what is printed as it is, and gives its lines to the run that prints. In all else it is as the original
    stream."""

    def __init__(self, name: str, level: str, original: Any) -> None:
        super().__init__(self._report, original)
        self._name, self._level = name, level

    def _report(self, line: str) -> None:
        run = context.find()
        if run is not None:
            run.line(line, self._level, self._name)

    def write(self, text: str) -> int:
        written: int = self.original.write(text)
        if context.find() is not None and not handlers_run():
            self.split(text)
        return written

    def flush(self) -> None:
        self.original.flush()

    def detach(self) -> Any:
        return self.original.detach()

    def isatty(self) -> bool:
        return bool(self.original.isatty())

    def fileno(self) -> int:
        return int(self.original.fileno())

    @property
    def encoding(self) -> Any:  # type: ignore[override]
        return self.original.encoding

    @property
    def errors(self) -> Any:  # type: ignore[override]
        return self.original.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


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


_teeing = 0
_kept = False
_lock = threading.Lock()


@contextmanager
def teed(run: Run) -> Iterator[None]:
    """Makes what the block prints into lines of the run as well. Several runs may do so at a time."""
    _count(1)
    try:
        with finished(run):
            yield
    finally:
        _count(-1)


def keep() -> None:
    """Makes what runs print into lines of theirs, until the process ends. A later call does so where others have
    replaced stdout or stderr meanwhile."""
    global _kept
    if not _kept:
        _kept = True
        _count(1)
    elif not (isinstance(sys.stdout, Lines) and isinstance(sys.stderr, Lines)):
        _count(0)


def _count(change: int) -> None:
    """Replaces stdout and stderr for the first of the runs, and puts them back after the last."""
    global _teeing
    with _lock:
        _teeing += change
        for name, level in STREAMS:
            stream = getattr(sys, name)
            if change >= 0 and stream is not None and not isinstance(stream, Lines):
                setattr(sys, name, Tee(name, level, stream))
            elif not _teeing and isinstance(stream, Tee):
                setattr(sys, name, stream.original)


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
