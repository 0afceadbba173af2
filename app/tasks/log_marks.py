"""Where a log has errors or warnings, for marks beside a scroll bar: their sequences alone, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import composed
from app.models.streams import EventRow
from app.stream.event import task_stream
from app.tasks.log_conditions import LogFilter
from app.tasks.logs import kept, stream_id

MOST_PLACES = 5_000  # more are not sent one by one
STRETCHES = 2_000


@dataclass(frozen=True, slots=True)
class LogMarks:
    """``places`` are sequences up to ``head``, in order: of all lines that pass, where ``stretch`` is 1; else of the
    first one in each stretch of so many sequences. The first stretch begins with sequence 1."""

    places: list[int]
    stretch: int
    head: int


def log_marks(cur: Cursor, task_id: str, wanted: LogFilter) -> LogMarks:
    """Returns where the lines are that pass a filter. The cost does not depend on the length of the log, nor on how
    many pass, provided that an index has them."""
    pruned_to, head = kept(cur, task_id)
    window: dict[str, Any] = {"stream": task_stream(task_id), "low": pruned_to + 1, "high": head}
    every = _every(wanted).execute(cur, **window, most=MOST_PLACES + 1)
    places = [int(seq) for (seq,) in every]
    if len(places) <= MOST_PLACES:
        return LogMarks(places, 1, head)
    stretch = -(-(head - pruned_to) // STRETCHES)
    first = _first_of_stretches(wanted).execute(
        cur, **window, start=pruned_to // stretch * stretch + 1, step=stretch
    )
    return LogMarks([int(seq) for (seq,) in first], stretch, head)


@composed
def _every(wanted: LogFilter) -> sa.Select[Any]:
    return _passing(wanted, sa.bindparam("low"), sa.bindparam("high")).limit(sa.bindparam("most"))


@composed
def _first_of_stretches(wanted: LogFilter) -> sa.Select[Any]:
    """One look into the index for each stretch."""
    bounds = (sa.bindparam(name, type_=sa.BigInteger) for name in ("start", "high", "step"))
    stretches = sa.func.generate_series(*bounds).table_valued("start").render_derived(name="stretches")
    start = stretches.c.start
    low = sa.func.greatest(start, sa.bindparam("low"))
    first = _passing(wanted, low, start + sa.bindparam("step") - 1).limit(1).lateral("first")
    return sa.select(first.c.seq).select_from(stretches).join(first, sa.true()).order_by(first.c.seq)


def _passing(wanted: LogFilter, low: Any, high: Any) -> sa.Select[Any]:
    return (
        sa.select(EventRow.seq)
        .where(EventRow.stream_id == stream_id(), EventRow.seq.between(low, high))
        .where(*wanted.conditions())
        .order_by(EventRow.seq)
    )
