"""The run that the calling code belongs to: a context variable, so threads, greenlets and nested calls find theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from workers.errors import NoRun
from workers.run import Run

_run: ContextVar[Run | None] = ContextVar("taskroom_run", default=None)


def find() -> Run | None:
    """The run in whose context the caller was started, until that run is over; None outside of a task.

    A thread that outlives its task finds None, never the run of a later task.
    """
    run = _run.get()
    return None if run is None or run.over else run


def get() -> Run:
    """As ``find``. Raises NoRun outside of a task."""
    run = find()
    if run is None:
        raise NoRun("no task runs here: report progress from inside a job")
    return run


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Makes ``run`` the current one for the length of the block. After it nothing finds this run any more."""
    token = _run.set(run)
    try:
        yield
    finally:
        run.over = True
        _run.reset(token)
