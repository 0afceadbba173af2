"""Makes what the code of a run reports into what events hold. A report never ends a run: a wrong value is replaced or
left out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from taskroom.limits import LARGEST, NAME_LIMIT, TEXT_LIMIT
from taskroom.texts import clean, cut

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
PHASE_STATUSES = ("active", "in_progress", "completed", "error")
UNNAMED = "phase"

_OTHER_LEVELS = {"WARN": "WARNING", "FATAL": "CRITICAL", "TRACE": "DEBUG"}


def number(value: Any) -> float | None:
    """The number, of a text too, between 0 and LARGEST; None for anything else."""
    try:
        found = float(value)
    except Exception:  # the value may be of any type, and its conversion may raise anything
        return None
    return min(max(found, 0.0), float(LARGEST)) if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """The number of whole items: 1 for 1.5."""
    if type(value) is int:
        return min(max(value, 0), LARGEST)
    found = number(value)
    return None if found is None else int(found)


def length(items: Any) -> int | None:
    """The number of items; None where there is none, or none that fits into a machine's number: a loop needs none."""
    try:
        return len(items)
    except Exception:  # of a loader without an end, or of a query that fails; the loop itself may work
        return None


def total(before: float, more: Any) -> float:
    """The sum of a count and what its caller adds, within LARGEST: floats hold no number of hundreds of digits."""
    added = more if type(more) is int else number(more) or 0
    return min(max(before + added, -LARGEST), LARGEST)


def text(value: Any) -> str:
    """The value as text; the empty text for None."""
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else str(value)
    except Exception as problem:
        return f"({type(value).__name__}, its text could not be made: {type(problem).__name__})"


def name(value: Any, unnamed: str = UNNAMED) -> str:
    """The name of a phase, component or group: printable characters only, so that it breaks no line."""
    shown = clean(text(value))[:NAME_LIMIT]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return shown.strip() or unnamed


def level(value: Any) -> str | None:
    """The level for a name in any letters or a number of ``logging``; None for anything else."""
    if isinstance(value, str):
        upper = value.strip().upper()
        found = _OTHER_LEVELS.get(upper, upper)
        return found if found in LEVELS else None
    rank = number(value)
    return None if rank is None else level_of(rank)


def level_of(rank: float) -> str:
    """The level for a number of ``logging``."""
    return next((name for name, least in reversed(LEVELS.items()) if rank >= least), "DEBUG")


def status(value: Any) -> str | None:
    """The status of a phase, for a name in any letters; None for anything else."""
    found = text(value).strip().lower()
    return found if found in PHASE_STATUSES else None


def filled(message: Any, **values: Any) -> str:
    """The message with {n}, {total} and {item} filled in, or unchanged when that fails."""
    try:
        return text(message).format(**values)
    except Exception:
        return text(message)


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "message": lambda value: cut(text(value), TEXT_LIMIT),
    "processed_count": count,
    "total_count": count,
    "error_count": count,
    "eta_seconds": number,
    "duration_seconds": number,
}


def normalized(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event, each as an event holds it."""
    return {name: _FIELDS[name](value) if name in _FIELDS else value for name, value in fields.items()}


def bounded(value: Any, limit: int) -> Any:
    """The value, or an object that tells its size when its JSON has more than ``limit`` bytes, or its text when it has
    none."""
    try:
        size = len(json.dumps(value, default=text).encode("utf-8", "replace"))
    except Exception:  # a circle, or a key that is no text
        return {"text": cut(text(value), TEXT_LIMIT)}
    return value if size <= limit else {"truncated": True, "bytes": size}
