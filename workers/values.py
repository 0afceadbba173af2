"""What task code reports, as events hold it. A report never ends a job: what cannot be is replaced or left out."""

from __future__ import annotations

import math
from typing import Any

from app.stream.event import LEVELS, clean
from app.tasks.fold import PHASE_STATUSES
from app.tasks.reports import NAME_LIMIT

LARGEST = 2**53  # what a browser counts exactly
UNNAMED = "phase"

_ALSO = {"WARN": "WARNING", "FATAL": "CRITICAL", "TRACE": "DEBUG"}


def number(value: Any) -> float | None:
    """A number from 0 on; None for what is none. Texts that are numbers are."""
    try:
        found = float(value)
    except Exception:  # of whatever type, with code of its own
        return None
    return min(max(found, 0.0), float(LARGEST)) if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """Whole items: of 1.5 one is done."""
    if type(value) is int:
        return min(max(value, 0), LARGEST)
    found = number(value)
    return None if found is None else int(found)


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else str(value)
    except Exception as problem:
        return f"({type(value).__name__}, its text could not be made: {type(problem).__name__})"


def name(value: Any) -> str:
    """Of a phase: printable characters, so that it breaks no line."""
    shown = clean(text(value))[:NAME_LIMIT]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return shown.strip() or UNNAMED


def level(value: Any) -> str | None:
    """Also in small letters, and as the numbers of ``logging``; None for what is no level."""
    if isinstance(value, str):
        upper = value.strip().upper()
        found = _ALSO.get(upper, upper)
        return found if found in LEVELS else None
    rank = number(value)
    if rank is None:
        return None
    return next((name for name, least in reversed(LEVELS.items()) if rank >= least), "DEBUG")


def status(value: Any) -> str | None:
    """Of a phase; None for what is none."""
    found = text(value).strip().lower()
    return found if found in PHASE_STATUSES else None


def filled(message: Any, **values: Any) -> str:
    """The message with {n}, {total} and {item} filled in, or as it is when it cannot be filled in."""
    try:
        return text(message).format(**values)
    except Exception:
        return text(message)
