"""The run that the calling code belongs to: a context variable, so threads, greenlets and nested calls find theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token

from taskroom.runs import Run

_run: ContextVar[Run | None] = ContextVar("taskroom_run", default=None)


def find() -> Run | None:
    """The run in whose context the caller was started, until that run is over; None outside of a run.

    A thread that outlives its run finds None, never a later run.
    """
    run = _run.get()
    return None if run is None or run.over else run


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Makes ``run`` the current one for the length of the block. After it nothing finds this run any more."""
    token = enter(run)
    try:
        yield
    finally:
        leave(run, token)


def enter(run: Run) -> Token[Run | None]:
    """Makes ``run`` the current one, until ``leave`` is called with what this returns."""
    run.outer = find()
    return _run.set(run)


def leave(run: Run, token: Token[Run | None]) -> None:
    """Makes the run that was the current one before the current one again. Nothing finds ``run`` any more."""
    run.over = True
    with suppress(ValueError):  # left in another context, such as a notebook's later cell: nothing is set
        _run.reset(token)
