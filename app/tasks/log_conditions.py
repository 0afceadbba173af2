"""Which events are lines of a log, and which of these pass a filter, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import aliased

from app.models.streams import ERROR_LEVELS, ITEM_ERROR, EventRow
from app.stream.event import LEVELS
from app.tasks.fold import RETRY

RETRY_LEVEL = "WARNING"
RETRY_COMPONENT = "taskroom"
# The same condition as ``is_line``, of rows of events.
IS_LINE = f"""CASE type WHEN 'log' THEN true
    WHEN 'task_status' THEN payload::json ->> 'status' = '{RETRY}' AND payload::json ->> 'retry_count' IS NOT NULL
    ELSE false END"""
RETURN = '\\r"'  # at the end of a text in JSON


@dataclass(frozen=True, slots=True)
class LogFilter:
    """``level`` is the least severe to show, ``q`` a text that the message contains, case ignored. ``errors``: only
    lines of the level ERROR or worse, and those of items that are counted as failed. ``final``: no line that another
    one replaced, as a progress bar does with each of its states."""

    level: str | None = None
    phase: str | None = None
    q: str | None = None
    errors: bool = False
    final: bool = False

    @property
    def levels(self) -> list[str] | None:
        """All levels that pass; None: any level does."""
        least = self.level
        return [name for name, rank in LEVELS.items() if rank >= LEVELS[least]] if least else None

    @property
    def indexed(self) -> bool:
        """Whether an index has nearly all lines that pass, and few others."""
        return (self.errors or self.level in ("WARNING", *ERROR_LEVELS)) and not (self.phase or self.q)

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Returns what an event has to fulfil. The values of ``phase`` and ``q`` are parameters of these names."""
        found = list[sa.ColumnElement[bool]]()
        if levels := self.levels:
            found.append(_has_level(levels))
        if self.errors:
            found.append(_is_error())
        if not found:  # both of these are lines only
            found.append(is_line())
        if self.phase:
            found.append(EventRow.phase == sa.bindparam("phase"))
        if self.q:
            found.append(sa.func.strpos(sa.func.lower(_message()), sa.func.lower(sa.bindparam("q"))) > 0)
        if self.final:
            found.append(sa.not_(_is_replaced()))
        return found


def is_line(row: Any = EventRow) -> sa.ColumnElement[bool]:
    """The order of CASE saves reading the payload of each line."""
    return sa.case((row.type == "log", True), (row.type == "task_status", _is_retry(row)), else_=False)


def _is_retry(row: Any) -> sa.ColumnElement[bool]:
    payload = sa.cast(row.payload, JSON)
    return sa.and_(payload["status"].astext == RETRY, payload["retry_count"].astext.is_not(None))


def _is_error() -> sa.ColumnElement[bool]:
    is_of_item = EventRow.payload.like(ITEM_ERROR)
    return sa.and_(EventRow.type == "log", sa.or_(_is_one_of(ERROR_LEVELS), is_of_item))


def _is_one_of(levels: Sequence[str]) -> sa.ColumnElement[bool]:
    return EventRow.level == sa.any_(sa.literal(list(levels), sa.ARRAY(sa.Text)))


def _has_level(levels: Sequence[str]) -> sa.ColumnElement[bool]:
    logged = sa.and_(EventRow.type == "log", _is_one_of(levels))
    if RETRY_LEVEL not in levels:
        return logged
    return sa.or_(logged, sa.and_(EventRow.type == "task_status", _is_retry(EventRow)))


def _message() -> sa.ColumnElement[str]:
    payload = sa.cast(EventRow.payload, JSON)
    return sa.func.coalesce(payload["message"].astext, payload["error"]["message"].astext)


def _component(row: Any) -> sa.ColumnElement[str]:
    logged = sa.cast(row.payload, JSON)["component"].astext
    return sa.case((row.type == "log", logged), else_=RETRY_COMPONENT)


def _is_replaced() -> sa.ColumnElement[bool]:
    """Whether a line ends with ``\\r`` and the next line of the log is of the same component."""
    later = aliased(EventRow)
    following = (
        sa.select(_component(later).label("component"))
        .where(later.stream_id == EventRow.stream_id, later.seq > EventRow.seq, is_line(later))
        .order_by(later.seq)
        .limit(1)
        .correlate(EventRow)
        .lateral()
    )
    replacing = sa.select(sa.true()).where(following.c.component.is_not_distinct_from(_component(EventRow)))
    return sa.and_(
        EventRow.type == "log",
        # Cheap, and false for nearly all lines.
        sa.func.strpos(EventRow.payload, RETURN) > 0,
        sa.func.right(sa.cast(EventRow.payload, JSON)["message"].astext, 1) == "\r",
        replacing.exists(),
    )
