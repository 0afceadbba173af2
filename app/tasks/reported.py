"""What a worker of another kind reports of its task, decoded and checked: the events of a batch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import orjson
from msgspec import UNSET, Raw, Struct, UnsetType, field

from app.stream.event import LEVELS


def null() -> Raw:
    """Returns JSON that was not given. A function, because a JSON Schema cannot have it as a default."""
    return Raw(b"null")


class Reported(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """An event of a batch. ``timestamp`` without an offset is UTC."""

    timestamp: datetime | None = None


class Line(Reported, tag="log"):
    message: str
    level: str | int = "INFO"
    component: str | None = None
    phase: str | None = None
    item_error: bool = False


class PhaseUpdate(Reported, tag="phase_update"):
    phase_id: str
    status: Literal["active", "in_progress", "completed", "error"]
    message: str | None = None
    processed_count: int | float | None = None
    total_count: int | float | None = None
    error_count: int | float | None = None
    eta_seconds: int | float | None = None


class PhaseComplete(Reported, tag="phase_complete"):
    phase_id: str
    processed_count: int | float | None = None
    total_count: int | float | None = None
    error_count: int | float | None = None
    duration_seconds: int | float | None = None


class Group(Reported, tag="log_group"):
    """The begin or the end of a group of lines. ``name`` is needed at the begin."""

    group_id: str
    status: Literal["open", "closed"]
    name: str | None = None
    phase: str | None = None


class Source(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where code failed, with the lines around it; ``first_line`` is the number of the first of them."""

    file: str
    line: int
    function: str | None = None
    first_line: int = 1
    lines: list[str] = []


class Error(Struct, kw_only=True, forbid_unknown_fields=True):
    """``phase`` is None between phases; UNSET leaves it to the phases that are open."""

    type: str | None = None
    message: str | None = None
    traceback: str | None = None
    phase: str | UnsetType | None = UNSET
    source: Source | None = None


class Status(Reported, tag="task_status"):
    """``result`` is JSON. What is UNSET leaves what was."""

    status: Literal["PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"]
    current_phase: str | UnsetType | None = UNSET
    current_phase_message: str | UnsetType | None = UNSET
    progress: int | float | None = None
    eta_seconds: int | float | None = None
    result: Raw = field(default_factory=null)
    error: Error | None = None
    execution_time_ms: int | float | None = None
    retry_in: int | float | None = None


ReportedEvent = Line | PhaseUpdate | PhaseComplete | Group | Status


_OTHER_LEVELS = {
    "WARN": "WARNING",
    "ERR": "ERROR",
    **dict.fromkeys(("FATAL", "CRIT", "ALERT", "EMERG", "PANIC"), "CRITICAL"),
    **dict.fromkeys(("TRACE", "VERBOSE", "FINE"), "DEBUG"),
}


def folded_level(given: str | int) -> str:
    """Returns the level for a name in any letters, also of other systems, or a number of ``logging``; INFO for any
    other."""
    if isinstance(given, int):
        return next((name for name, least in reversed(LEVELS.items()) if given >= least), "DEBUG")
    name = given.strip().upper()
    name = _OTHER_LEVELS.get(name, name)
    return name if name in LEVELS else "INFO"


def is_start(event: ReportedEvent) -> bool:
    return isinstance(event, Status) and event.status == "STARTED"


def is_bare_start(event: ReportedEvent) -> bool:
    """Whether the event says nothing but that the attempt has begun, and when."""
    return is_start(event) and event == Status(status="STARTED", timestamp=event.timestamp)


_AS_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_WITH_FRACTION = len('"2026-01-02T03:04:05.678901Z"')


def time_text(moment: datetime) -> str:
    """Returns the time in the format of events. Raises OverflowError when its offset leads out of all years."""
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    text = orjson.dumps(moment, option=_AS_UTC).decode()  # a tenth of the time of isoformat
    return text[1:-1] if len(text) == _WITH_FRACTION else f"{text[1:20]}.000000Z"
