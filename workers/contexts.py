"""Threads that a task's code starts belong to that task: what they report and log is its own, and no later task's.

Python's threads begin with an empty context. Libraries that follow requests through threads hand it on in the same two
places.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from workers import run as runs

logger = logging.getLogger("threading")

# By whole names: a thread of the task's own may be called taskroom-something too.
_OURS = frozenset(
    f"taskroom-{name}"
    for name in ("writer", "listener", "channels", "tails", "ticks", "all-users", "handler", "coroutines")
)
_start = threading.Thread.start
_submit = ThreadPoolExecutor.submit


def install() -> None:
    """For this process, once it runs tasks. A second call changes nothing."""
    threading.Thread.start = _start_in_context  # type: ignore[method-assign]
    threading.excepthook = _report
    ThreadPoolExecutor.submit = _submit_in_context  # type: ignore[method-assign,assignment]


def uninstall() -> None:
    threading.Thread.start = _start  # type: ignore[method-assign]
    threading.excepthook = threading.__excepthook__
    ThreadPoolExecutor.submit = _submit  # type: ignore[method-assign]


def _start_in_context(self: threading.Thread) -> None:
    # Our own threads outlive the task in which they were first needed.
    if runs.find() is not None and self.name not in _OURS:
        context = copy_context()
        self.run = partial(context.run, self.run)  # type: ignore[method-assign]
        self.taskroom_context = context  # type: ignore[attr-defined]
    _start(self)


def _report(args: threading.ExceptHookArgs) -> None:
    """What ended a thread, as one line of its task with the traceback; Python prints it in dozens of pieces."""
    if issubclass(args.exc_type, SystemExit | runs.TaskCancelled | runs.AttemptSuperseded):
        return
    context = getattr(args.thread, "taskroom_context", None) or copy_context()
    name = args.thread.name if args.thread else "?"
    context.run(logger.error, "An exception ended the thread %s", name, exc_info=args.exc_value or True)


def _submit_in_context(
    self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **named: Any
) -> Future[Any]:
    """The threads of a pool may be those of an earlier task: each call brings its own context."""
    if runs.find() is None:
        return _submit(self, function, *args, **named)
    return _submit(self, copy_context().run, function, *args, **named)
