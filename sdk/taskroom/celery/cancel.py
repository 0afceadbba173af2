"""How a cancelled task ends: at its next report, as one that Celery ignores; or by Celery, which ends its process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery.app import trace
from celery.exceptions import Ignore

from taskroom.celery import attempts
from taskroom.celery.attempts import Attempt
from taskroom.celery.broker_thread import in_thread
from taskroom.errors import AttemptSuperseded, TaskCancelled

logger = logging.getLogger("taskroom")

CONSUMER = "celery.worker.consumer.consumer"  # has a name of its own for build_tracer
GUARDED = "__taskroom_guarded__"

_build = trace.build_tracer
_installed = False


def install() -> None:
    """Guards the function of each task before Celery makes the code that calls it. A second call does nothing."""
    global _build, _installed
    if _installed:
        return
    _installed, _build = True, trace.build_tracer
    trace.build_tracer = _build_guarded
    if CONSUMER in sys.modules:
        sys.modules[CONSUMER].build_tracer = _build_guarded  # type: ignore[attr-defined]


def _build_guarded(name: str, task: Any, *args: Any, **kwargs: Any) -> Any:
    """As Celery's ``build_tracer``. It calls ``task.__call__`` where a class has one of its own, else ``task.run``."""
    if trace.task_has_custom(task, "__call__"):
        kind = type(task)
        if not hasattr(kind.__call__, GUARDED):
            kind.__call__ = _guarded_call(kind.__call__)
    elif not hasattr(task.run, GUARDED):
        task.run = _guarded_run(task, task.run)
    return _build(name, task, *args, **kwargs)


def _guarded_run(task: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        attempt = _entering(task)
        return function(*args, **kwargs) if attempt is None else _run(attempt, function, args, kwargs)

    setattr(run, GUARDED, True)
    return run


def _guarded_call(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _entering(self)
        return (
            function(self, *args, **kwargs)
            if attempt is None
            else _run(attempt, function, (self, *args), kwargs)
        )

    setattr(__call__, GUARDED, True)
    return __call__


def _entering(task: Any) -> Attempt | None:
    """The attempt whose function is called now; None for any other call of it, such as from the code of a task."""
    attempt = attempts.current()
    if attempt is None or attempt.entered or attempt.task is not task:
        return None
    attempt.entered = attempt.inside = True
    return attempt


def _run(attempt: Attempt, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Calls the function. Raises Ignore in place of what stops a task: that is no Exception, and would end the process
    of the worker."""
    try:
        attempt.check()  # somebody may have cancelled it before
        return function(*args, **kwargs)
    except TaskCancelled:
        attempt.cancelled = True
        _mark_revoked(attempt)
        raise Ignore("cancelled in Taskroom") from None
    except AttemptSuperseded:
        raise Ignore("another attempt of the task has begun, or the task has ended") from None
    finally:
        attempt.inside = False


def _mark_revoked(attempt: Attempt) -> None:
    """Lets those who wait for the result have it: Celery stores none for a task that it ignores."""
    request = attempt.task.request
    if request.is_eager:
        return
    ignored = getattr(request, "ignore_result", None) or attempt.task.ignore_result
    try:
        attempt.task.backend.mark_as_revoked(
            attempt.celery_id, "cancelled in Taskroom", request=request, store_result=not ignored
        )
    except Exception:  # of the network to the backend; the task has ended all the same
        logger.exception("the result of the cancelled task %s could not be stored", attempt.celery_id)


def terminator(app: Any, celery_id: str) -> Callable[[], None]:
    """Makes what tells Celery to end the task and its process. It takes no time: a thread does it."""

    def terminate() -> None:
        in_thread(
            lambda: app.control.revoke(celery_id, terminate=True), f"the task {celery_id} cannot be ended"
        )

    return terminate
