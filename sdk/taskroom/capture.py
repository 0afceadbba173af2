"""``logging`` inside a run becomes lines of its log by itself.

No handler is added: with one on the root logger ``logging.basicConfig`` would do nothing any more, warnings would no
longer be printed without it, and a program that configures logging anew would remove it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from taskroom import context
from taskroom.runs import Run
from taskroom.values import level_of

_call_handlers = logging.Logger.callHandlers
_installed = False
_own = frozenset({"taskroom"})
_roots = frozenset[str]()
_handlers = threading.local()


def install(own: Iterable[str] = (), roots: Iterable[str] = ()) -> None:
    """Captures from now on; a second call only adds names. Loggers that are named in ``own``, and those below them, are
    left out: of those that report how events are stored, an event of each line would make another one. Loggers of
    ``roots`` hand nothing on to the root logger, and those below them are captured all the same."""
    global _call_handlers, _installed, _own, _roots
    if not _installed:  # others may change it too, before or after
        _installed, _call_handlers = True, logging.Logger.callHandlers
        logging.Logger.callHandlers = _call_and_capture  # type: ignore[method-assign]
    if not _own.issuperset(own):
        _own |= frozenset(own)
        _is_own.cache_clear()
    if not _roots.issuperset(roots):
        _roots |= frozenset(roots)


def handlers_run() -> bool:
    """Whether a handler of logging, or what is a line already, runs in this thread: what it prints is no line."""
    return getattr(_handlers, "run", False)


@contextmanager
def handling() -> Iterator[None]:
    """Marks what the block does as the work of handlers of logging."""
    before, _handlers.run = handlers_run(), True
    try:
        yield
    finally:
        _handlers.run = before


class Capture(logging.Handler):
    """Makes the text of a record. It never raises into the run's code, and never stops a cancelled run: a library that
    logs must not be cut in the middle of its work."""

    def take(self, record: logging.LogRecord, run: Run) -> None:
        try:
            run.line(self.format(record), level_of(record.levelno), record.name)
        except Exception:
            self.handleError(record)  # logging's own way: a note on stderr


_capture = Capture()


def _call_and_capture(self: logging.Logger, record: logging.LogRecord) -> None:
    run = context.find()
    if run is None:
        _call_handlers(self, record)
        return
    with handling():
        _call_handlers(self, record)
    if not _is_own(record.name) and _reaches_root(self):
        _capture.take(record, run)


@cache
def _is_own(name: str) -> bool:
    """Compares whole names: ``redis_loader`` is not ``redis``."""
    return any(name == own or name.startswith(f"{own}.") for own in _own)


def _reaches_root(logger: logging.Logger) -> bool:
    """Whether a handler of the root logger, or of one of ``roots``, would have the record: who keeps it from there does
    not want it here."""
    while logger.parent is not None and logger.name not in _roots:
        if not logger.propagate:
            return False
        logger = logger.parent
    return True
