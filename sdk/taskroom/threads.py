"""Threads that the code of a run starts inherit its context, and with it the current run: they report to it.

Python's threads begin with an empty context, as do greenlets of gevent (``taskroom.greenlets``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from taskroom import context
from taskroom.errors import AttemptSuperseded, TaskCancelled

logger = logging.getLogger("threading")

Excepthook = Callable[[threading.ExceptHookArgs], object]

_start = threading.Thread.start
_submit = ThreadPoolExecutor.submit
_pythons: Excepthook = getattr(threading, "__excepthook__", threading.excepthook)  # 3.9 has no name for it
_excepthook: Excepthook = threading.excepthook  # for threads of no run
_before = threading.excepthook
_installed = False
_own = frozenset[str]()


def install(own: Iterable[str] = (), excepthook: Excepthook | None = None) -> None:
    """Changes how this process starts threads; a second call only adds names. Threads that are named in ``own`` belong
    to no run: they outlive the one in which they were first needed. ``excepthook`` is for exceptions of threads outside
    of runs, in place of the present one."""
    global _start, _submit, _excepthook, _before, _installed, _own
    _own |= frozenset(own)
    if not _installed:  # others may change the same, before or after
        _installed = True
        _start, _submit, _before = threading.Thread.start, ThreadPoolExecutor.submit, threading.excepthook
        _excepthook = excepthook or threading.excepthook
        threading.Thread.start = _start_in_context  # type: ignore[method-assign]
        ThreadPoolExecutor.submit = _submit_in_context  # type: ignore[method-assign,assignment]
        threading.excepthook = _except


def uninstall() -> None:
    """Lets threads start as before ``install``."""
    global _installed
    if _installed:
        _installed = False
        threading.Thread.start = _start  # type: ignore[method-assign]
        ThreadPoolExecutor.submit = _submit  # type: ignore[method-assign]
        threading.excepthook = _before


def log_exception(args: threading.ExceptHookArgs) -> None:
    """Logs the exception that ended a thread as one line; Python prints it in dozens of pieces."""
    if issubclass(args.exc_type, (SystemExit, TaskCancelled, AttemptSuperseded)):
        return
    name = args.thread.name if args.thread else "?"
    logger.error("An exception ended the thread %s", name, exc_info=args.exc_value or True)


def _except(args: threading.ExceptHookArgs) -> None:
    """Logs the exception of a thread of a run there, and lets others who asked for exceptions of threads have it."""
    inherited = getattr(args.thread, "taskroom_context", None)
    if inherited is None:
        _excepthook(args)
        return
    inherited.run(log_exception, args)
    if _excepthook not in (_pythons, log_exception):
        _excepthook(args)


def _start_in_context(self: threading.Thread) -> None:
    if self.name in _own:
        Context().run(_start, self)
        return
    if context.find() is not None:
        inherited = copy_context()
        self.run = partial(inherited.run, self.run)  # type: ignore[method-assign]
        self.taskroom_context = inherited  # type: ignore[attr-defined]
    _start(self)


def _submit_in_context(
    self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **named: Any
) -> Future[Any]:
    """Each call brings its own context: the threads of a pool may have been started by an earlier run."""
    if context.find() is None:
        return _submit(self, function, *args, **named)
    return _submit(self, copy_context().run, function, *args, **named)
