"""The attempt of a task that the calling code belongs to, in a worker of Taskroom's own."""

from __future__ import annotations

from typing import NoReturn

import taskroom
from taskroom import context
from taskroom.context import running
from workers.errors import NoRun
from workers.run import Run

__all__ = ["find", "get", "run", "running"]


def find() -> Run | None:
    """The attempt in whose context the caller was started, until it is over; None outside of a task."""
    found = context.find()
    while found is not None and not isinstance(found, Run):  # a ``taskroom.run`` within a job
        found = found.outer
    return None if found is None or found.over else found


def get() -> Run:
    """As ``find``. Raises NoRun outside of a task."""
    return find() or _refuse()


def run() -> taskroom.Run:
    """What the caller reports to: the attempt, or a ``taskroom.run`` within it. Raises NoRun outside of a task."""
    return context.find() or _refuse()


def _refuse() -> NoReturn:
    raise NoRun("no task runs here: report progress from inside a job")
