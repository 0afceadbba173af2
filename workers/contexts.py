"""Threads that a job's code starts inherit its context, and with it the current run: their reports go to that task.

Python's threads begin with an empty context, as do greenlets of gevent (``workers.greenlets``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from workers import current
from workers.errors import AttemptSuperseded, TaskCancelled

logger = logging.getLogger("threading")

# Whole names: a job may call a thread of its own taskroom-something.
_OURS = frozenset(
    f"taskroom-{name}"
    for name in ("writer", "listener", "channels", "tails", "ticks", "all-users", "handler", "coroutines")
)
_start = threading.Thread.start
_submit = ThreadPoolExecutor.submit


def install() -> None:
    """Changes how this process starts threads. A second call changes nothing."""
    threading.Thread.start = _start_in_context  # type: ignore[method-assign]
    threading.excepthook = _log_exception
    ThreadPoolExecutor.submit = _submit_in_context  # type: ignore[method-assign,assignment]


def _start_in_context(self: threading.Thread) -> None:
    if self.name in _OURS:  # it outlives the task in which it was first needed
        Context().run(_start, self)
        return
    if current.find() is not None:
        context = copy_context()
        self.run = partial(context.run, self.run)  # type: ignore[method-assign]
        self.taskroom_context = context  # type: ignore[attr-defined]
    _start(self)


def _log_exception(args: threading.ExceptHookArgs) -> None:
    """Logs the exception that ended a thread as one line of its task; Python prints it in dozens of pieces."""
    if issubclass(args.exc_type, SystemExit | TaskCancelled | AttemptSuperseded):
        return
    context = getattr(args.thread, "taskroom_context", None) or copy_context()
    name = args.thread.name if args.thread else "?"
    context.run(logger.error, "An exception ended the thread %s", name, exc_info=args.exc_value or True)


def _submit_in_context(
    self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **named: Any
) -> Future[Any]:
    """Each call brings its own context: the threads of a pool may have been started by an earlier task."""
    if current.find() is None:
        return _submit(self, function, *args, **named)
    return _submit(self, copy_context().run, function, *args, **named)
