"""Pages of a task's log, by key: the millionth page costs what the first does. A retry is a line of the log too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, composed, sized
from app.models.streams import EventRow, Stream
from app.stream.event import is_retry, task_stream
from app.stream.pages import PAGE_BYTES
from app.stream.store import Connect
from app.tasks.endings import error_text
from app.tasks.log_conditions import RETRY_COMPONENT, RETRY_LEVEL, LogFilter

SCAN_ROWS = 50_000  # what one request may look at before it says where to go on
FINAL_ROWS = 20_000  # the same without replaced lines: each is compared with the next line
DOWNLOAD_PAGE = 500
LOG_FIELDS = ("sequence", "timestamp", "level", "message", "component", "phase")
MORE_FIELDS = ("line", "item_error")  # that are there only where they are known


_KEPT = Statement(sa.select(Stream.pruned_to, Stream.last_seq).where(Stream.name == sa.bindparam("stream")))


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines oldest first. ``before`` and ``after`` are the cursors to go on from, back and forth;
    ``has_more`` is about the direction that was asked for."""

    logs: list[dict[str, Any]]
    before: int
    after: int
    has_more: bool


def logs_after(
    cur: Cursor, task_id: str, cursor: int, limit: int, wanted: LogFilter = LogFilter()
) -> LogPage:
    """The next ``limit`` lines after the cursor, oldest first."""
    pruned_to, last_seq = kept(cur, task_id)
    cursor = max(cursor, pruned_to)
    high = last_seq if wanted.indexed else min(cursor + _window(wanted), last_seq)
    rows, more = _scan(cur, task_id, cursor + 1, high, False, limit, wanted)
    after = rows[-1][0] if more else max(cursor, high)
    return LogPage([log_line(payload) for _, payload in rows], cursor + 1, after, more or high < last_seq)


def logs_before(
    cur: Cursor, task_id: str, cursor: int | None, limit: int, wanted: LogFilter = LogFilter()
) -> LogPage:
    """The ``limit`` lines before the cursor (None: the newest), oldest first."""
    pruned_to, last_seq = kept(cur, task_id)
    oldest, beyond = pruned_to + 1, last_seq + 1
    cursor = beyond if cursor is None else min(max(cursor, oldest), beyond)
    low = oldest if wanted.indexed else max(cursor - _window(wanted), oldest)
    rows, more = _scan(cur, task_id, low, cursor - 1, True, limit, wanted)
    before = rows[-1][0] if more else low
    return LogPage([log_line(payload) for _, payload in rows[::-1]], before, cursor - 1, more or low > oldest)


def _window(wanted: LogFilter) -> int:
    return FINAL_ROWS if wanted.final else SCAN_ROWS


def every_log(connect: Connect, task_id: str, wanted: LogFilter = LogFilter()) -> Iterator[dict[str, Any]]:
    """The whole log, a short transaction for each page: a held snapshot would slow every writer."""
    cursor = 0
    while True:
        with connect() as conn, conn.cursor() as cur:
            page = logs_after(cur, task_id, cursor, DOWNLOAD_PAGE, wanted)
        yield from page.logs
        if not page.has_more:
            return
        cursor = page.after


def kept(cur: Cursor, task_id: str) -> tuple[int, int]:
    """Up to where the log was pruned, and its last sequence."""
    row = _KEPT.execute(cur, stream=task_stream(task_id)).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _scan(
    cur: Cursor, task_id: str, low: int, high: int, newest_first: bool, limit: int, wanted: LogFilter
) -> tuple[Sequence[tuple[int, str]], bool]:
    """Up to ``limit`` lines between two sequences, and whether there are more of them. Sequences are dense,
    so the window bounds the rows read: a rare hit cannot make one request scan a whole log."""
    given = {name: value for name, value in (("phase", wanted.phase), ("q", wanted.q)) if value}
    window = {"stream": task_stream(task_id), "low": low, "high": high}
    bounds = {"more": limit + 1, "bytes": PAGE_BYTES, "limit": limit}
    # One statement for all texts that are looked for.
    shape = replace(wanted, phase=wanted.phase and "given", q=wanted.q and "given")
    page = _lines(newest_first, shape)
    rows = page.execute(cur, **window, **given, **bounds).fetchall()
    return [(seq, payload) for seq, payload, _ in rows], bool(rows) and len(rows) < rows[0][2]


@composed
def _lines(newest_first: bool, wanted: LogFilter) -> sa.Select[Any]:
    """A page of lines that pass a filter. Sizes are added up before anything is sent: a thousand long lines
    are fifty megabytes."""

    def order(seq: Any) -> Any:
        return seq.desc() if newest_first else seq.asc()

    lines = (
        sa.select(EventRow.seq, EventRow.payload)
        .where(
            EventRow.stream_id == stream_id(), EventRow.seq.between(sa.bindparam("low"), sa.bindparam("high"))
        )
        .where(*wanted.conditions())
        .order_by(order(EventRow.seq))
        .limit(sa.bindparam("more"))
        .subquery("lines")
    )
    page = sized(lines, sa.func.octet_length(lines.c.payload), order(lines.c.seq)).c
    return (
        sa.select(page.seq, page.payload, page.found)
        .where(page.sent < sa.bindparam("bytes"))
        .order_by(order(page.seq))
        .limit(sa.bindparam("limit"))
    )


def stream_id() -> sa.ScalarSelect[int]:
    """The id of the stream whose name is the parameter ``stream``."""
    return sa.select(Stream.id).where(Stream.name == sa.bindparam("stream")).scalar_subquery()


def log_line(payload: str) -> dict[str, Any]:
    """Returns the line of a ``log`` event, or of the ``task_status`` of a retry."""
    event = orjson.loads(payload)
    if is_retry(event):
        event |= {"level": RETRY_LEVEL, "message": _retry_text(event), "component": RETRY_COMPONENT}
    line = {name: event.get(name) for name in LOG_FIELDS}
    return line | {name: event[name] for name in MORE_FIELDS if event.get(name)}


def _retry_text(event: dict[str, Any]) -> str:
    """Why the attempt failed, and when the next one follows. static/src/client/logLine.ts has the same words."""
    error, seconds = event.get("error"), event.get("retry_in_seconds")
    why = f"{error_text(error)}\n" if error else ""
    after = f" in {seconds:g} s" if seconds else ""
    return f"{why}Attempt {event['retry_count'] + 1} follows{after}"
