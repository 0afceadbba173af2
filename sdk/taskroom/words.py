"""The functions by which any code reports to the run that it belongs to. Outside of a run they report nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from taskroom import context
from taskroom.phases import Phase
from taskroom.runs import Run
from taskroom.sink import Nowhere

Item = TypeVar("Item")


def current() -> Run:
    """The run that the calling code belongs to; outside of any, one whose id is empty and that reports nowhere."""
    return context.find() or Run("", Nowhere())


def log(message: str, level: str = "INFO", component: str | None = None, phase: str | None = None) -> None:
    """Writes a line into the run's log, under the open phase unless ``phase`` names another."""
    run = context.find()
    if run is not None:
        run.log(message, level, component, phase)


def phase(name: str, total: int | None = None, message: str = "") -> AbstractContextManager[Phase]:
    """Opens a phase for the length of a ``with`` block, and gives it: call its ``advance`` and ``error``."""
    return current().phase(name, total, message)


def group(name: str) -> AbstractContextManager[None]:
    """Puts the lines of a ``with`` block into a group of the log, which can be folded; groups may be within one
    another."""
    return current().group(name)


def track(items: Iterable[Item], phase: str, message: str = "", total: int | None = None) -> Iterator[Item]:
    """Yields the items, and counts each when the loop asks for the next. ``message`` may use {n}, {total}, {item}."""
    return current().track(items, phase, message, total)
